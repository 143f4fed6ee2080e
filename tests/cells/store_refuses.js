const cycle = {}; cycle.c = cycle;
for (const bad of [undefined, () => 1, Symbol('s'), cycle, { a: undefined }, { a: [() => 1] }, 1n])
  try { store('k', bad); text('stored'); } catch (e) { text(e.name + ': ' + e.message); }
for (const key of [undefined, '', 5]) try { store(key, 1); } catch (e) { text(e.message); }
text(load('k') === undefined);
