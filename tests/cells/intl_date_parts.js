// What each part of a formatted date is.
const d = new Date("2026-11-05T21:04:07.089Z");
const parts = (locale, options) => text(new Intl.DateTimeFormat(locale, options).formatToParts(d).map(({ type, value }) => `${type}:${value}`).join("|"));
parts("en-US", {});
parts("en-US", { weekday: "long", year: "numeric", month: "long", day: "numeric" });
parts("en-US", { hour: "numeric", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, timeZoneName: "short" });
parts("de-DE", { dateStyle: "medium", timeStyle: "short" });
parts("ja-JP", { year: "numeric", month: "long", day: "numeric", era: "short" });
// The way in which code finds a date in another zone.
const values = Object.fromEntries(new Intl.DateTimeFormat("en-US", { timeZone: "Asia/Tokyo", year: "numeric", month: "2-digit", day: "2-digit" }).formatToParts(d).map((p) => [p.type, p.value]));
text(`${values.year}-${values.month}-${values.day}`);
