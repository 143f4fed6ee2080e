const o = {}; o.o = o;
text(o);
