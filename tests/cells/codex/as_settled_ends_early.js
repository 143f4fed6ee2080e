// dialect: codex
const results = as_settled([1, 2, tools.later(3)]);
text(await results.next());
text(await results.return(5));
text(await results.next());
