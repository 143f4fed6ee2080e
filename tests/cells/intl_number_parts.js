// What each part of a formatted number is.
const parts = (n, locale, options) => text(new Intl.NumberFormat(locale, options).formatToParts(n).map(({ type, value }) => `${type}:${value}`).join("|"));
parts(-1234567.89, "en-US");
parts(1234.5, "de-DE", { style: "currency", currency: "EUR" });
parts(-1234.5, "en-US", { style: "currency", currency: "USD", currencySign: "accounting" });
parts(0.255, "fr-FR", { style: "percent", maximumFractionDigits: 1 });
parts(1234567, "en-US", { notation: "compact" });
parts(1234567, "en-US", { notation: "compact", compactDisplay: "long" });
parts(123456, "en-US", { notation: "scientific" });
parts(0.00123, "en-US", { notation: "engineering" });
parts(5, "en-US", { style: "unit", unit: "kilometer", unitDisplay: "long" });
parts(NaN, "en-US");
parts(-Infinity, "en-US");
parts(3, "en-US", { style: "currency", currency: "USD", currencyDisplay: "name" });
parts(3, "en-US", { style: "currency", currency: "USD", currencyDisplay: "code", signDisplay: "always" });
