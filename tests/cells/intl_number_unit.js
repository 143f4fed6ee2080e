// Units of measure.
const unit = (n, name, unitDisplay = "short", locale = "en-US") => new Intl.NumberFormat(locale, { style: "unit", unit: name, unitDisplay }).format(n);
for (const name of ["kilometer", "mile", "meter", "centimeter", "kilogram", "pound", "liter", "second", "minute", "hour", "day", "week", "month", "year", "celsius", "fahrenheit",
  "percent", "byte", "kilobyte", "megabyte", "gigabyte", "kilometer-per-hour", "mile-per-hour", "meter-per-second", "millisecond", "acre", "foot", "inch"])
  text(`${name}: ${unit(16, name)} | ${unit(16, name, "narrow")} | ${unit(1, name, "long")} | ${unit(2.5, name, "long")}`);
for (const locale of ["de-DE", "fr-FR", "ja-JP", "es-ES"]) text(`${locale} ${unit(5, "kilometer", "long", locale)} ${unit(1, "hour", "short", locale)} ${unit(3, "kilogram", "long", locale)}`);
