function* count() { let n = 0; while (true) { const step = yield n; n += step ?? 1; } }
const g = count(); g.next(); text([g.next().value, g.next(5).value]);
