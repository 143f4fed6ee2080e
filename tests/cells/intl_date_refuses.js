// Options and times that are none.
const refused = (f) => {
  try {
    text(`accepted: ${f()}`);
  } catch (error) {
    text(`${error.name}: ${error.message}`);
  }
};
const d = new Date(0);
refused(() => d.toLocaleDateString("en-US", { month: "big" }));
refused(() => d.toLocaleDateString("en-US", { timeStyle: "short" }));
refused(() => d.toLocaleTimeString("en-US", { dateStyle: "short" }));
refused(() => d.toLocaleString("en-US", { dateStyle: "short", month: "long" }));
refused(() => d.toLocaleString("en-US", { fractionalSecondDigits: 4 }));
refused(() => d.toLocaleString("en-US", { timeZone: "" }));
refused(() => d.toLocaleString("en-US", { calendar: "?" }));
refused(() => new Intl.DateTimeFormat().format(NaN));
refused(() => new Intl.DateTimeFormat().format(new Date(NaN)));
refused(() => new Intl.DateTimeFormat().formatRange(d));
refused(() => Date.prototype.toLocaleString.call({}));
