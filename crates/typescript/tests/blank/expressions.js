const a =      b, c =        ['x'], d = (e     ).g .h ++, i = e                      ;
(a       ) = 1; a  = 2; (     a).b = 3;
for (a  of []) ; [a       , (b       ).c] = [];
const f = g        , h = new Map                             (), j = g      (1), k = a < b, l = a > (c);
const m = a?.b .c, n = (a?.b) .c, o = a           < b, p = !a , q = typeof b          , r = await b          ;
const s = { a, b: c     , [e          ]: 1, ...(f          ) }, t = [...(g         )], u = `${ a           }`;
import('x'          ); tag        `x`; f?.        (x); delete (a       ).b;
