// Money: the digits of the currency, its symbol, code or name, and where they stand.
const usd = { style: "currency", currency: "USD" };
text((1234.5).toLocaleString("en-US", usd));
text((-1234.5).toLocaleString("en-US", usd));
text((0).toLocaleString("en-US", usd));
text((1234567.891).toLocaleString(undefined, usd));
text((1234.5).toLocaleString("en-US", { ...usd, minimumFractionDigits: 0 }));
text((1234).toLocaleString("en-US", { ...usd, maximumFractionDigits: 0 }));
text((1234.5).toLocaleString("en-US", { ...usd, currencyDisplay: "code" }));
text((1234.5).toLocaleString("en-US", { ...usd, currencyDisplay: "name" }));
text((1).toLocaleString("en-US", { ...usd, currencyDisplay: "name" }));
text((1234.5).toLocaleString("en-CA", { ...usd, currencyDisplay: "narrowSymbol" }));
text((1234.5).toLocaleString("en-CA", usd));
text((-1234.5).toLocaleString("en-US", { ...usd, currencySign: "accounting" }));
text((1234.5).toLocaleString("en-US", { ...usd, signDisplay: "always" }));
for (const currency of ["EUR", "GBP", "JPY", "INR", "CHF", "CAD", "BRL", "KRW", "CNY", "KWD", "MXN", "BTC"])
  text(`${currency} ${new Intl.NumberFormat("en-US", { style: "currency", currency }).format(1234.567)}`);
for (const [locale, currency] of [["de-DE", "EUR"], ["fr-FR", "EUR"], ["ja-JP", "JPY"], ["en-GB", "GBP"], ["en-IN", "INR"], ["hi-IN", "INR"], ["pt-BR", "BRL"],
  ["es-ES", "EUR"], ["ar-EG", "EGP"], ["zh-CN", "CNY"], ["ko-KR", "KRW"], ["ru-RU", "RUB"], ["sv-SE", "SEK"], ["nl-NL", "EUR"], ["it-IT", "EUR"], ["pl-PL", "PLN"], ["he-IL", "ILS"]])
  text(`${locale} ${new Intl.NumberFormat(locale, { style: "currency", currency }).format(-98765.4)}`);
text((1234.5).toLocaleString("de-DE", { style: "currency", currency: "eur", currencyDisplay: "name" }));
