const log = [];
setTimeout(() => log.push('late'), 20); setTimeout((a, b) => log.push(a + b), 10, 'ear', 'ly');
const gone = setTimeout(() => log.push('never'), 5); clearTimeout(gone); clearTimeout(gone); clearTimeout(12345); clearTimeout();
await new Promise((resolve) => setTimeout(resolve, 30)); text(log);
