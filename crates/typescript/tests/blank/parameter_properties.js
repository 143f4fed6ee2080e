class A {x;y; constructor(                 x        ,        y = 2, z         ) {this.x=x;this.y=y;} m() { return this.x } }
class B extends A {x;v;
  w = 1;
  constructor(         x        ,           v         ) {
    'use strict'
    super(x);this.x=x;this.v=v;
    text(this.v);
  }
}
const c = class {a; constructor(       a        ) { 'x';this.a=a; } };
