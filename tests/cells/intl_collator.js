// The order of words.
const sorted = (words, ...given) => [...words].sort(new Intl.Collator(...given).compare).join(" ");
const words = ["résumé", "resume", "Résumé", "Resume", "zebra", "äpfel", "Apfel", "apfel", "Zebra", "öl", "ol"];
text(sorted(words));
text(sorted(words, "de"));
text(sorted(words, "sv"));
text([...words].sort((a, b) => a.localeCompare(b)).join(" "));
text(sorted(["item10", "item2", "item1"], undefined, { numeric: true }));
text(sorted(["item10", "item2", "item1"]));
text(sorted(["b", "B", "a", "A"], "en", { caseFirst: "upper" }));
for (const sensitivity of ["base", "accent", "case", "variant"])
  text(`${sensitivity} ${["a", "á", "A", "b"].map((x) => "a".localeCompare(x, "en", { sensitivity })).join(" ")}`);
text("co-op".localeCompare("coop", "en", { ignorePunctuation: true }));
text("a".localeCompare("b") + " " + "b".localeCompare("a") + " " + "a".localeCompare("a"));
text("2".localeCompare("10", undefined, { numeric: true }));
text(sorted(["ch", "c", "d"], "es-u-co-trad"));
text(new Intl.Collator("de", { numeric: true }).resolvedOptions());
text("a\0b".localeCompare("ab"));
text(["x".localeCompare(null), "undefined".localeCompare(undefined)].join(" "));
text("TITLE".toLocaleLowerCase("tr") + " " + "istanbul".toLocaleUpperCase("tr") + " " + "istanbul".toLocaleUpperCase());
