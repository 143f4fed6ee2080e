// dateStyle and timeStyle.
const d = new Date("2026-11-05T19:04:07.089Z");
const styles = ["full", "long", "medium", "short"];
for (const dateStyle of styles) text(`${dateStyle}: ${d.toLocaleDateString("en-US", { dateStyle })}`);
for (const timeStyle of styles) text(`${timeStyle}: ${d.toLocaleTimeString("en-US", { timeStyle })}`);
for (const dateStyle of styles) for (const timeStyle of styles) text(new Intl.DateTimeFormat("en-US", { dateStyle, timeStyle }).format(d));
for (const locale of ["en-GB", "de-DE", "fr-FR", "it-IT", "pt-BR", "ja-JP", "zh-CN"]) text(`${locale} ${d.toLocaleString(locale, { dateStyle: "long", timeStyle: "short" })}`);
