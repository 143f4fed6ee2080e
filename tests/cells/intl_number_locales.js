// The same number in many languages: separators, groups and digits of their own.
const locales = ["en-US", "en-GB", "en-IN", "de-DE", "de-CH", "de-AT", "fr-FR", "fr-CH", "es-ES", "es-MX", "it-IT", "pt-BR", "pt-PT", "nl-NL", "sv-SE",
  "da-DK", "nb-NO", "fi-FI", "pl-PL", "cs-CZ", "hu-HU", "ro-RO", "el-GR", "tr-TR", "ru-RU", "uk-UA", "he-IL", "ar-EG", "ar-SA", "fa-IR", "hi-IN", "bn-BD",
  "th-TH", "vi-VN", "id-ID", "ja-JP", "ko-KR", "zh-CN", "zh-TW", "sw-KE"];
for (const locale of locales)
  text(`${locale} ${(1234.5).toLocaleString(locale)} ${(-1234567.891).toLocaleString(locale)} ${(0.256).toLocaleString(locale, { style: "percent" })}`);
