const r = await tools.echo({ a: 1, b: ['x', null] });
text(r.b[0]); text(await tools.echo()); text(await tools.echo(undefined)); text(await tools.echo('s')); text(await tools.echo(1, 2));
