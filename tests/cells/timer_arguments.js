for (const bad of ['code', undefined, {}]) try { setTimeout(bad, 1); } catch (e) { text(e.message); }
for (const ms of [undefined, NaN, -5, '7', 1e12, 1.9]) { const id = setTimeout(() => {}, ms); clearTimeout(id); }
