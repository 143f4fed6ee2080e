const r = await Promise.allSettled([tools.echo(1), tools.fail(2)]);
text(r.map((x) => x.status));
