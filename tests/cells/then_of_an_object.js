// What has a `then` is waited for, as the language has it.
text(await { then(resolve) { resolve("from then"); } });
try { await { then() { throw new Error("in then"); } }; } catch (error) { text(error.message); }
text(await { then: 5 }.then);
text(typeof tools.then);
text(await tools.echo({ then: "a property" }));
