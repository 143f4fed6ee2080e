export enum Color { Red, Green = 5, Blue, Dark = 'd', Mix = Red | Green, "a-b" = Mix,
  Next /* the last */ }
enum Color2 { A = 'x'.length, B = `t`, C = B, D = Color2.C + 'x' }
enum Color2 { E = A + 1, F = -1.5, G, }
const enum H { X = -1, Y, Z = f((y) => ({ Y, y: y as any })) }
if (1) { enum I { } }
text(Color.Red, H.Y); (1);
