@dec class A { x: number }
