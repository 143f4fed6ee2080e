// What was resolved of the options.
text(new Intl.DateTimeFormat().resolvedOptions());
text(new Intl.DateTimeFormat("de-DE", { hour: "numeric", minute: "2-digit", timeZone: "Europe/Berlin" }).resolvedOptions());
text(new Intl.DateTimeFormat("en-US", { dateStyle: "full", timeStyle: "short" }).resolvedOptions());
text(new Intl.DateTimeFormat("en-US", { weekday: "long", month: "short", hour: "2-digit", hour12: true, second: "numeric", fractionalSecondDigits: 2 }).resolvedOptions());
text(new Intl.DateTimeFormat("en-u-hc-h23", { hour: "numeric" }).resolvedOptions().locale);
text(Object.prototype.toString.call(new Intl.DateTimeFormat()));
text(Intl.DateTimeFormat("en") instanceof Intl.DateTimeFormat);
