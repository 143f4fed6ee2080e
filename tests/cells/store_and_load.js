store('a', { n: 1 }); const a = load('a'); a.n = 2; text(load('a')); text(load('kept')); text(load('nothing') === undefined); store('kept', null); text(load('kept'));
