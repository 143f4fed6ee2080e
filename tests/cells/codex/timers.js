// dialect: codex
const order = [];
setTimeout((...args) => order.push(`a${args.length}`), 2, 1, 2);
setTimeout(() => order.push("b"), 1);
setTimeout(() => order.push("c"), "1");
setTimeout(function () { order.push(`d${this === undefined}`); }, -5);
setTimeout(() => order.push("e"), NaN);
clearTimeout(setTimeout(() => order.push("never"), 1));
await new Promise((done) => setTimeout(done, 20));
text(order);
