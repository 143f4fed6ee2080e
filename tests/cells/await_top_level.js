const v = await Promise.resolve(1); text(v);
for await (const x of [1, Promise.resolve(2)]) text(x);
