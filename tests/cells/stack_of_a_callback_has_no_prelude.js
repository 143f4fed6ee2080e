// A frame between a callback and the cell would name a function of the prelude.
let stack;
Error.prepareStackTrace = (_, sites) => sites.map((site) => `${site.getFunctionName()} ${site.getFileName()}`);
new URLSearchParams("a=b").forEach(function visited() { stack = new Error("here").stack; });
text(stack);
