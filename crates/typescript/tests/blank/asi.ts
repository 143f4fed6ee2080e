const a = b as string
(1);
b satisfies string
[0];
b
interface I {}
(1);
b
type T = 1
`t`
if (b) b as any
else b!
class C {
  f = 1 as number
  ['m']() {}
  g = 2
  public ['x'] = 1
  h = 3
  private *i() {}
  get
  j() {}
}
export const d = () => b as T
(1)
function r(): number { return b as number }
let l: number
[1].map(x => x as any)
