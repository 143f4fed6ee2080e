let total = 0; const add = async (n) => { total += await tools.echo(n); };
await add(1); await add(2); await Promise.all([add(3), add(4)]); text(total);
