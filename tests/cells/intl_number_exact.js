// BigInts and decimal strings are exact.
text(12345678901234567890123456789n.toLocaleString());
text((-98765432109876543210n).toLocaleString("de-DE"));
text((12345678901234567890n).toLocaleString("en-US", { style: "currency", currency: "USD" }));
text((10n ** 40n).toLocaleString("en-US", { notation: "scientific" }));
const exact = new Intl.NumberFormat("en-US", { maximumFractionDigits: 20 });
text(exact.format("1234567890123456789.12345678901234567"));
text(exact.format("-.5"));
text(exact.format(" 0x10 "));
text(exact.format("seven"));
text(exact.format({ valueOf: () => 12.5 }));
text(exact.format(null) + exact.format(true) + exact.format(undefined));
