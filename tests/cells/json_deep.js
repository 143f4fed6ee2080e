const deep = (n) => JSON.parse("[".repeat(n) + "]".repeat(n));
text(JSON.stringify(deep(2000)).length);
for (const n of [1e5, 1e6]) try { deep(n); } catch (e) { text(e.name + ": " + e.message); }
let list = null;
for (let i = 0; i < 1e5; i++) list = { list };
try { text(list); } catch (e) { text(e.name); }
try { await tools.echo(list); } catch (e) { text(e.name); }
