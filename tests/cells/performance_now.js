const start = performance.now();
for (let i = 0; i < 1e5; i++);
text(performance.now() - start);
await new Promise((resolve) => setTimeout(resolve, 30));
text(performance.now() - start);
