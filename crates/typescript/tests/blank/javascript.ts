const a = b < c, d = e > (f), g = a < b > (c);
label: for (;;) break label
/* not a type: string */ "x: number"; /<T>/g.test(`${ a }`)
