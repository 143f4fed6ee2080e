// Lists in a sentence.
const list = ["a", "b", "c"];
for (const type of ["conjunction", "disjunction", "unit"])
  for (const style of ["long", "short", "narrow"]) text(`${type} ${style}: ${new Intl.ListFormat("en", { type, style }).format(list)}`);
text(new Intl.ListFormat("en").format(["one"]));
text(new Intl.ListFormat("en").format(["one", "two"]));
text(`(${new Intl.ListFormat("en").format([])})`);
for (const locale of ["de", "fr", "es", "ja", "ar", "he", "en-GB"]) text(`${locale} ${new Intl.ListFormat(locale).format(new Set(list))}`);
text(new Intl.ListFormat("es").format(["Ana", "Inés"]));
text(new Intl.ListFormat("en").formatToParts(["x", "y"]));
text(new Intl.ListFormat("en", { type: "unit" }).resolvedOptions());
for (const wrong of [[1], 5]) {
  try {
    new Intl.ListFormat("en").format(wrong);
  } catch (error) {
    text(error.name);
  }
}
