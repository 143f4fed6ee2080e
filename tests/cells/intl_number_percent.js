// Percents.
const percent = { style: "percent" };
text((0.256).toLocaleString("en-US", percent));
text((0.256).toLocaleString("en-US", { ...percent, minimumFractionDigits: 1 }));
text((-0.05).toLocaleString("en-US", percent));
text((12).toLocaleString("en-US", percent));
text((0.12345).toLocaleString(undefined, { ...percent, maximumFractionDigits: 2 }));
for (const locale of ["de-DE", "fr-FR", "tr-TR", "ja-JP", "es-ES", "eu-ES"]) text((0.5).toLocaleString(locale, percent));
text((0.1).toLocaleString("en-US", { ...percent, signDisplay: "exceptZero" }));
