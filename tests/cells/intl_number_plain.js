// Numbers without options: groups, three digits of fraction, no exponent.
const numbers = [0, 7, 1234, 12345.678, 1234567.891, -1234.5, 0.1 + 0.2, 1e21, -0, NaN, Infinity, -Infinity, 0.0005, 999999.9999];
for (const n of numbers) text(n.toLocaleString());
text((1234.5).toLocaleString("en-US"));
text((1234.5).toLocaleString(undefined, {}));
text((1234.5).toLocaleString([]));
text(Intl.NumberFormat().format(9876543.21));
text(new Intl.NumberFormat().format("1e3"));
text([1, 1000, 1000000].map(new Intl.NumberFormat("en-US").format).join(" "));
