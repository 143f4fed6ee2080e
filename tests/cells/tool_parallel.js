const r = await Promise.all([tools.later(1), tools.echo(2), tools.echo(3)]);
text(r);
