const a = async <T,>(x: T): Promise<T> => x;
const b = async <
  T
>(x: T) => x;
const c = (x: number):
  | string
  | number => x;
const d = (
  x: number, // one
): {
  a: é
} => ({ a: x });
function* e() {
  return <T
  >(x: T) => x;
  yield <T>(x: T) => x;
}
const f = <T,>(x: T) => <const T,>(y: T): y is T => true, g = (x?: number) => x!;
const h = b ? (x) : y => z;
const i = b ? (x): string => x : y;
