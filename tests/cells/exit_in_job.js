Promise.resolve().then(() => { try { exit(); } finally { text('finally'); } }).finally(() => text('more'));
await new Promise(() => {});
