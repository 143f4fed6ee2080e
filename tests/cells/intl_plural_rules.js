// Which form of a word goes with a number.
const en = new Intl.PluralRules("en-US");
text([0, 1, 2, 1.5, -1, NaN, Infinity].map((n) => en.select(n)).join(" "));
const ordinal = new Intl.PluralRules("en-US", { type: "ordinal" });
text([1, 2, 3, 4, 11, 12, 13, 21, 22, 23, 101, 111].map((n) => `${n}${{ one: "st", two: "nd", few: "rd", other: "th" }[ordinal.select(n)]}`).join(" "));
for (const locale of ["ru", "pl", "ar", "ja", "fr", "cs"]) text(`${locale} ${[0, 1, 2, 3, 5, 11, 21, 100, 1.5].map((n) => new Intl.PluralRules(locale).select(n)).join(" ")}`);
text(new Intl.PluralRules("en", { minimumFractionDigits: 1 }).select(1));
text(new Intl.PluralRules("en").selectRange(1, 2));
text([...new Intl.PluralRules("ar").resolvedOptions().pluralCategories].sort());
text(Object.prototype.toString.call(en));
try {
  Intl.PluralRules("en");
} catch (error) {
  text(error.name);
}
