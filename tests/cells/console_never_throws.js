const o = {}; o.o = o; console.log(o, Symbol('s'), null, undefined); console.log();
