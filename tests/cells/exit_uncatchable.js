async function inner() { try { exit(); } catch { text('caught'); } finally { text('finally'); } }
inner().then(() => text('then'), () => text('rejected')); text('after');
