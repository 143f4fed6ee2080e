// The same day in many languages.
const d = new Date("2026-03-05T09:04:07Z");
const locales = ["en-US", "en-GB", "en-CA", "en-AU", "en-IN", "de-DE", "de-AT", "de-CH", "fr-FR", "fr-CA", "es-ES", "es-MX", "it-IT", "pt-BR", "pt-PT", "nl-NL", "sv-SE", "da-DK",
  "nb-NO", "fi-FI", "pl-PL", "cs-CZ", "hu-HU", "ro-RO", "el-GR", "tr-TR", "ru-RU", "uk-UA", "he-IL", "ar-EG", "hi-IN", "bn-BD", "vi-VN", "id-ID", "ja-JP", "ko-KR", "zh-CN", "zh-TW"];
for (const locale of locales)
  text(`${locale} ${d.toLocaleDateString(locale)} | ${d.toLocaleDateString(locale, { year: "numeric", month: "long", day: "numeric" })} | ${d.toLocaleDateString(locale, { month: "short", day: "numeric" })} | ${d.toLocaleDateString(locale, { weekday: "long" })}`);
