// A rejection that nobody handled is told when its cell exits, and not again by the next.
const failed = Promise.reject(new RangeError("of the first"));
exit();
// ---- next cell ----
failed.catch((error) => text(`handled later: ${error.message}`));
await null;
Promise.reject({ get message() { exit(); } });
Promise.reject("of the second");
// ---- next cell ----
text("on");
// ---- next cell ----
setTimeout(() => { Promise.reject(new Error("in a timer")); exit(); }, 5);
await new Promise(() => {});
