const é        = 1, 名前 /* ü */                 = 2; text(é);
;              text(1); let x         = 1;
let y   
	    
  = 1;
