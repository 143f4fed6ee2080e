// Compact, scientific and engineering notation.
const compact = (n, locale = "en-US", options = {}) => new Intl.NumberFormat(locale, { notation: "compact", ...options }).format(n);
for (const n of [0, 999, 1000, 1234, 1500, 9950, 9999, 12345, 99950, 999499, 999999, 1234567, 123456789, 1.5e9, 2.3e12, 7e15, -1234, 0.0123, 1.26])
  text(`${n} ${compact(n)} ${compact(n, "en-US", { compactDisplay: "long" })}`);
text(compact(1234567, "en-US", { maximumFractionDigits: 2 }));
text(compact(1234567, "en-US", { style: "currency", currency: "USD" }));
text(compact(1234567, "en-US", { minimumSignificantDigits: 4 }));
for (const locale of ["de-DE", "fr-FR", "es-ES", "ja-JP", "zh-CN", "ko-KR", "hi-IN", "ru-RU", "pt-BR", "ar-EG"])
  text(`${locale} ${compact(1234567, locale)} | ${compact(98765, locale, { compactDisplay: "long" })}`);
for (const notation of ["scientific", "engineering"])
  text([123456, 0.00012, 0, -9.999e7].map((n) => n.toLocaleString("en-US", { notation })).join(" "));
text((123456).toLocaleString("en-US", { notation: "scientific", maximumSignificantDigits: 2 }));
