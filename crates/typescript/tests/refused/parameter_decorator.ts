class A { constructor(@dec x: number) {} }
