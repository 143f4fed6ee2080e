// Options that are none.
const refused = (f) => {
  try {
    text(`accepted: ${f()}`);
  } catch (error) {
    text(`${error.name}: ${error.message}`);
  }
};
const n = 1;
refused(() => n.toLocaleString("not a locale"));
refused(() => n.toLocaleString("e"));
refused(() => n.toLocaleString(null));
refused(() => n.toLocaleString([7]));
refused(() => n.toLocaleString("en-US", null));
refused(() => n.toLocaleString("en-US", { style: "money" }));
refused(() => n.toLocaleString("en-US", { style: "currency" }));
refused(() => n.toLocaleString("en-US", { style: "currency", currency: "dollars" }));
refused(() => n.toLocaleString("en-US", { style: "unit" }));
refused(() => n.toLocaleString("en-US", { style: "unit", unit: "parsec" }));
refused(() => n.toLocaleString("en-US", { minimumFractionDigits: 101 }));
refused(() => n.toLocaleString("en-US", { minimumFractionDigits: 3, maximumFractionDigits: 1 }));
refused(() => n.toLocaleString("en-US", { maximumSignificantDigits: 0 }));
refused(() => n.toLocaleString("en-US", { roundingIncrement: 3 }));
refused(() => n.toLocaleString("en-US", { notation: "roman" }));
refused(() => Intl.NumberFormat.prototype.format);
refused(() => new Intl.NumberFormat().format(Symbol("x")));
refused(() => new Intl.NumberFormat().format(10n ** 20000n));
