const cycle = {}; cycle.c = cycle;
for (const bad of [cycle, () => 1, Symbol('s'), 1n])
  await tools.echo(bad).catch((e) => text(e.name));
