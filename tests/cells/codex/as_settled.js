// dialect: codex
for await (const result of as_settled([tools.later(4), Promise.resolve(1), Promise.reject("x"), 3, tools.echo(2)])) text(result);
for await (const result of as_settled(new Map([["a", 1], ["b", Promise.reject("no")]]))) text(result);
for await (const result of as_settled([])) text(result);
text(Object.prototype.toString.call(as_settled([])));
