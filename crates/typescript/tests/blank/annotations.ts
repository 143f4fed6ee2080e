const a: number = 1, { b, c = 2 }: { b?: string; c?: number } = {};
let d!: Map<string, Array<number>>;
function f(this: Window, x?: number, ...rest: string[]): asserts x is number { }
for (const e of [] as number[]) text(e!);
try { f.call(null, 1) } catch (error: unknown) { text((error as Error).message satisfies string); }
var g = function (a: string, b = <number>1): void {}, h = { m<T>(x: T): T { return x }, get p(): number { return 1 } };
