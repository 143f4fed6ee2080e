class A extends B { constructor(private x: number) { if (x) super(); } }
