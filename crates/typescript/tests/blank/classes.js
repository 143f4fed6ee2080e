         class A    extends Map                               {
  ;                a         = 'a'
  static #b ;       
  ;                        
  d    ;
  e ;           
  ;                  
  ;        ['f'] = 1
  ;                  async *g   (x   )                    { yield x }
  ;                  
  ;                 
  ;         
  j(x         )       {}
  ;                      
  constructor(x     ) { super() }
  static { const x = 1 ;         }
  get k()    { return this.d; }
  ;       static l ()       {}
}
const b = class              { }, c = class    {}, d = class D    extends (f       )    {};
new A        (1)?.get        ('x'); f   `t`;
export default          class E {}
