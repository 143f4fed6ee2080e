// Characters as people count them, words, sentences.
const parts = (granularity, string, locale = "en") => [...new Intl.Segmenter(locale, { granularity }).segment(string)];
text(parts("grapheme", "👨‍👩‍👧e\u0301🇩🇪🇫🇷x").map((s) => `${s.index}:${s.segment}`).join(" "));
text([...new Intl.Segmenter().segment("héllo")].length);
text(parts("word", "Hello, world! It's 3.14.").map((s) => `${s.segment}${s.isWordLike ? "*" : ""}`).join("|"));
text(parts("sentence", "Hello there. How are you? Fine!").map((s) => s.segment).join("|"));
text(parts("word", "吾輩は猫である。", "ja").map((s) => s.segment).join("|"));
text(parts("word", "สวัสดีชาวโลก", "th").map((s) => s.segment).join("|"));
const segments = new Intl.Segmenter("en", { granularity: "word" }).segment("one two");
text(segments.containing(5));
text(String(segments.containing(7)));
// Longer than what the host is asked for at a time.
const text2 = "word ".repeat(5000);
let count = 0;
for (const { isWordLike } of new Intl.Segmenter("en", { granularity: "word" }).segment(text2)) count += isWordLike;
text(count);
text([...new Intl.Segmenter("en", { granularity: "sentence" }).segment("a".repeat(5000))].length);
text([...new Intl.Segmenter().segment("")].length);
text([...new Intl.Segmenter().segment("\ud800x")].map((s) => s.segment.length).join());
text(new Intl.Segmenter("de", { granularity: "word" }).resolvedOptions());
