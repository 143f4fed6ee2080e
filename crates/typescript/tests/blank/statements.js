;                          
;                           import {         f } from 'b';
;                 
export {         a as b };
;                                 
;                                                                           
;                       
;                          
;                            
;                   
;                                             
;                                       
;                                                                
;                            
;                                
;                                
function over(x     ) { return x }
const a = over(1);
