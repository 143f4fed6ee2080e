const error = new TypeError("outer", { cause: new Error("inner", { cause: "bare" }) });
error.code = "E_OUTER";
console.log(error);
console.log({ error });
console.error("failed:", new AggregateError([new Error("one"), 2], "several"));
const loop = new Error("loop");
loop.cause = loop;
console.log(loop);
console.log(new DOMException("gone", "AbortError"));
