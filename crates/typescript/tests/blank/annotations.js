const a         = 1, { b, c = 2 }                             = {};
let d                             ;
function f(              x         , ...rest          )                      { }
for (const e of []            ) text(e );
try { f.call(null, 1) } catch (error         ) { text((error         ).message                 ); }
var g = function (a        , b =         1)       {}, h = { m   (x   )    { return x }, get p()         { return 1 } };
