// dialect: codex
text(await tools.echo());
text(await tools.echo(undefined));
text(await tools.echo(null));
text(await tools.echo({ a: undefined, b: NaN, c: -0, e: [undefined] }, 2));
text(tools.echo(1) instanceof Promise);
