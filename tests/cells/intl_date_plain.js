// Dates without options, in UTC and in the words of the default locale.
const d = new Date("2026-11-05T09:04:07.089Z");
text(d.toLocaleString());
text(d.toLocaleDateString());
text(d.toLocaleTimeString());
text(d.toLocaleString("en-US"));
text(d.toLocaleDateString(undefined, {}));
text(d.toLocaleTimeString([]));
text(new Date("2026-01-02T21:30:00Z").toLocaleString());
text(new Date("2026-01-02T00:05:00Z").toLocaleTimeString());
text(new Date("2026-01-02T12:05:00Z").toLocaleTimeString());
text(new Date(NaN).toLocaleDateString());
text(new Intl.DateTimeFormat().format(d));
text(Intl.DateTimeFormat("en-US").format(0));
text(new Intl.DateTimeFormat("en-US").format(new Date(-1)));
text(new Date(0).toLocaleDateString("en-US", { year: "numeric" }));
