// Dates with times.
const d = new Date("2026-11-05T09:04:07.089Z");
const show = (options, locale = "en-US") => text(d.toLocaleString(locale, options));
show({ year: "numeric", month: "short", day: "numeric", hour: "numeric", minute: "2-digit" });
show({ year: "numeric", month: "long", day: "numeric", hour: "numeric", minute: "2-digit" });
show({ year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit" });
show({ year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
show({ month: "short", day: "numeric", hour: "numeric", minute: "2-digit" });
show({ weekday: "long", year: "numeric", month: "long", day: "numeric", hour: "2-digit", minute: "2-digit" });
show({ weekday: "long", hour: "numeric", minute: "2-digit" });
show({ year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" }, "en-GB");
show({ year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" }, "de-DE");
show({ year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" }, "sv-SE");
show({}, "fr-FR");
show({ hour12: false });
text(d.toLocaleDateString("en-US", { hour: "numeric" }));
text(d.toLocaleTimeString("en-US", { weekday: "short" }));
