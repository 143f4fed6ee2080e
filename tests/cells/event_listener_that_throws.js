const target = new EventTarget();
target.addEventListener("x", () => { throw new Error("in a listener"); });
target.addEventListener("x", () => text("the next is called"));
text(target.dispatchEvent(new Event("x")));
