class A { constructor(private readonly x: number, public y = 2, z?: string) {} m() { return this.x } }
class B extends A {
  w = 1;
  constructor(override x: number, protected v?: string) {
    'use strict'
    super(x)
    text(this.v);
  }
}
const c = class { constructor(public a: number) { 'x' } };
