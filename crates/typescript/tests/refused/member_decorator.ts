class A { @dec() x: number }
