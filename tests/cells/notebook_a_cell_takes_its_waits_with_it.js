let log = [];
const timer = setInterval(() => log.push("tick"), 10);
const never = tools.later("late").then((x) => log.push(x));
export default "done";
// ---- next cell ----
await new Promise((resolve) => setTimeout(resolve, 100));
text(log);
clearInterval(timer);
// ---- next cell ----
await never;
