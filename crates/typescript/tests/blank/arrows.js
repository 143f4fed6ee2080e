const a = async     (x   )             => x;
const b = async (
   
  x   ) => x;
const c = (x          
          
         ) => x;
const d = (
  x        , // one
    
      
) => ({ a: x });
function* e() {
  return ( 
    x   ) => x;
  yield    (x   ) => x;
}
const f =     (x   ) =>           (y   )         => true, g = (x         ) => x ;
const h = b ? (x) : y => z;
const i = b ? (x)         => x : y;
