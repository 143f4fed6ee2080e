text('plain'); text(1.5); text(true); text(null); text(undefined); text(10n); text(Symbol('s'));
text({ a: [1, { b: null }] }); text([]); text(new Date(0)); text(() => 1); text(new Map([[1, 2]])); text('');
