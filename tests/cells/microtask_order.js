setTimeout(() => text('timer'), 0); queueMicrotask(() => text('micro')); Promise.resolve().then(() => text('then')); text('sync');
await new Promise((resolve) => setTimeout(resolve, 0)); text('after');
