const keep = (key, n) => { try { store(key, 'x'.repeat(n)); return 'kept'; } catch (e) { return e.name + ' ' + e.message; } };
text(keep('a', 999)); text(keep('a', 998)); text(keep('b', 990)); text(keep('c', 100)); text(keep('a', 10)); text(keep('c', 100)); text(keep('d', 1)); text(keep('kept', 1));
