text('a');
await new Promise(() => {});
