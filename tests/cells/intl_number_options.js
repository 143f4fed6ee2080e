// What was resolved of the options.
text(new Intl.NumberFormat().resolvedOptions());
text(new Intl.NumberFormat("en-US", { style: "currency", currency: "jpy" }).resolvedOptions());
text(new Intl.NumberFormat("de", { notation: "compact", style: "unit", unit: "byte" }).resolvedOptions());
text(new Intl.NumberFormat("ar-EG", { style: "percent" }).resolvedOptions().numberingSystem);
text(new Intl.NumberFormat("hi-u-nu-deva").resolvedOptions().locale);
text(new Intl.NumberFormat("hi-u-nu-deva").format(1234));
text(new Intl.NumberFormat("en", { numberingSystem: "thai" }).format(1234));
text(Object.prototype.toString.call(new Intl.NumberFormat()));
text(Intl.NumberFormat("en") instanceof Intl.NumberFormat);
text(Intl.NumberFormat.supportedLocalesOf(["de-DE", "xx", "zh-Hant-TW", "tlh"]));
text(Object.getOwnPropertyNames(Intl.NumberFormat.prototype));
text([Intl.NumberFormat.length, Intl.NumberFormat.name]);
