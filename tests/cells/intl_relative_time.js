// How long ago, how soon.
const always = new Intl.RelativeTimeFormat("en");
const auto = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
for (const unit of ["second", "minute", "hour", "day", "week", "month", "quarter", "year"])
  text([always.format(-1, unit), always.format(2, unit), auto.format(-1, unit), auto.format(0, unit), auto.format(1, unit)].join(" | "));
text(auto.format(-2, "days"));
text(auto.format(-0, "day"));
text(always.format(1234.5678, "hours"));
for (const style of ["long", "short", "narrow"]) text(new Intl.RelativeTimeFormat("en", { style }).format(-3, "month"));
for (const locale of ["de", "fr", "es", "ja", "ru", "ar-EG"]) text(`${locale} ${new Intl.RelativeTimeFormat(locale, { numeric: "auto" }).format(-1, "day")} ${new Intl.RelativeTimeFormat(locale).format(5, "minute")}`);
text(always.formatToParts(-12, "day"));
text(auto.resolvedOptions());
for (const [n, unit] of [[1, "decade"], [Infinity, "day"]])
  try {
    always.format(n, unit);
  } catch (error) {
    text(error.name);
  }
