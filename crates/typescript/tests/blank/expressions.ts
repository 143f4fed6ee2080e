const a = <any>b, c = <const>['x'], d = (e as F).g!.h!++, i = e as A as B satisfies C;
(a as any) = 1; a! = 2; (<any>a).b = 3;
for (a! of []) ; [a as any, (b as any).c] = [];
const f = g<string>, h = new Map<string, Map<string, number>>(), j = g<A<B>>(1), k = a < b, l = a > (c);
const m = a?.b!.c, n = (a?.b)!.c, o = a as number < b, p = !a!, q = typeof b as string, r = await b as string;
const s = { a, b: c as D, [e as string]: 1, ...(f as object) }, t = [...(g as any[])], u = `${ a as string }`;
import('x' as string); tag<string>`x`; f?.<string>(x); delete (a as any).b;
