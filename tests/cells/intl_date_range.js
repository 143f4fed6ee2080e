// Ranges of dates: both ends in full, as ICU4X has no patterns that share fields of any width.
const format = new Intl.DateTimeFormat("en-US", { dateStyle: "medium" });
const [a, b] = [new Date("2026-11-05T00:00:00Z"), new Date("2026-12-07T00:00:00Z")];
text(format.formatRange(a, b));
text(format.formatRange(a, a));
text(format.formatRangeToParts(a, b).map((p) => `${p.source}:${p.type}`).join(" "));
