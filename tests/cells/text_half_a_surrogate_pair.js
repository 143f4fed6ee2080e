// Text goes out as UTF-8, which has no halves: they become U+FFFD.
text("a\ud800b\udc00\ud83d\ude00");
text(["\ud800"]);
console.log("\udfff");
