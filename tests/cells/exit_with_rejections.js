// What was rejected and not handled is told at an exit, too, without running any code of the cell's.
class OrderError extends Error { get message() { return text("a getter ran"); } }
OrderError.prototype.name = "OrderError";
class PlainError extends Error {}
PlainError.prototype.name = "PlainError";
const ran = (what) => () => { text(what); return what; };
Promise.reject(new TypeError("lost"));
Promise.reject(new PlainError("of a class"));
Promise.reject(new OrderError());
Promise.reject(new DOMException("too late", "TimeoutError"));
Promise.reject("text");
Promise.reject(12n);
Promise.reject(Symbol("s"));
Promise.reject(undefined);
Promise.reject({ name: "Like", message: "an error" });
Promise.reject({ toString: ran("toString"), toJSON: ran("toJSON"), get a() { return ran("getter")(); } });
Promise.reject(new Proxy(new Error("behind a proxy"), { get: ran("get"), getPrototypeOf: ran("getPrototypeOf"), getOwnPropertyDescriptor: ran("descriptor") }));
Promise.reject(Object.create(new Proxy({}, { get: ran("get") })));
Promise.reject(ran("called"));
Promise.reject(Object.defineProperty(new Error("stack of its own"), "stack", { get: ran("stack") }));
Promise.reject("handled").catch(() => text("never"));
Object.defineProperty(Error.prototype, "stack", { get: ran("the stack of all") });
String.prototype.split = Array.prototype.filter = Array.prototype.join = ran("a method");
for (const [of, key] of [[Array.prototype, "constructor"], [Object.prototype, "toJSON"], [Object.prototype, "get"], [Object.prototype, "value"]])
  Object.defineProperty(of, key, { __proto__: null, get: ran(`${key} of all`) });
exit();
