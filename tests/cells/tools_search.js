// The engine asks, its owner answers; here with a text.
text(await tools.$search("send a message"));
text(await tools.$search("send", { limit: 1 }), await tools.$search("send", {}), await tools.$search("send", undefined));
text(await tools.$search("half \ud800 of a pair", { limit: undefined }));
const asked = [tools.$search("a"), tools.echo("b"), tools.$describe("echo")];
text(await Promise.all(asked));
