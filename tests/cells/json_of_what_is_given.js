text({ when: new Date(0), none: undefined, list: [undefined, () => 1], nan: NaN });
text(new Map([[1, 2]]));
try { text({ big: 1n }); } catch (error) { text(String(error)); }
