enum A { B = 'b',
 C }
