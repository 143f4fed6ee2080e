let a: ;
