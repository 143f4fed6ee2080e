const a = b ;        
(1);
b ;               
[0];
b
;             
(1);
b
;         
`t`
if (b) b ;     
else b;
class C {
  f = 1 ;        
  ['m']() {}
  g = 2
  ;      ['x'] = 1
  h = 3
  ;       *i() {}
  get
  j() {}
}
export const d = () => b ;   
(1)
function r()         { return b ;         }
let l;       
[1].map(x => x       )
