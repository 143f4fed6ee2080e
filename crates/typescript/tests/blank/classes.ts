abstract class A<T> extends Map<string, T> implements I<T>, J {
  private readonly a: string = 'a'
  static #b?: number
  public declare c: string;
  d!: T;
  e?: () => void
  [key: string]: any;
  readonly ['f'] = 1
  protected override async *g<U>(x: U): AsyncGenerator<U> { yield x }
  abstract h(): void;
  abstract i: string
  j(): void;
  j(x?: number): void {}
  constructor(x: number);
  constructor(x: any) { super() }
  static { const x = 1 as number }
  get k(): T { return this.d! }
  private static l?(): void {}
}
const b = class implements I { }, c = class<T> {}, d = class D<T> extends (f as any)<T> {};
new A<string>(1)?.get<number>('x'); f<T>`t`;
export default abstract class E {}
