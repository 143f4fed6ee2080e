// What models write: a wait that can be given up.
const controller = new AbortController();
const wait = (ms, { signal }) => new Promise((resolve, reject) => {
  const timer = setTimeout(resolve, ms);
  signal.addEventListener("abort", () => { clearTimeout(timer); reject(signal.reason); });
});
setTimeout(() => controller.abort(new Error("enough")), 10);
try { await wait(60000, controller); } catch (error) { text(String(error)); }
