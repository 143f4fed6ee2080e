// Ranges of numbers.
text(new Intl.NumberFormat("en-US").formatRange(3, 5));
text(new Intl.NumberFormat("en-US", { style: "currency", currency: "USD" }).formatRange(3, 5));
text(new Intl.NumberFormat("en-US", { style: "currency", currency: "USD", maximumFractionDigits: 0 }).formatRange(2.9, 3.1));
text(new Intl.NumberFormat("en-US", { style: "currency", currency: "USD" }).formatRangeToParts(3, 5));
for (const [start, end] of [[NaN, 1], [1, undefined]])
  try {
    new Intl.NumberFormat("en-US").formatRange(start, end);
  } catch (error) {
    text(error.name);
  }
