// Rounding modes and increments.
const values = [1.25, 1.35, -1.25, -1.21, 1.21];
for (const roundingMode of ["ceil", "floor", "expand", "trunc", "halfCeil", "halfFloor", "halfExpand", "halfTrunc", "halfEven"])
  text(`${roundingMode} ${values.map((n) => n.toLocaleString("en-US", { maximumFractionDigits: 1, roundingMode })).join(" ")}`);
for (const roundingIncrement of [2, 5, 10, 25, 50, 250])
  text(`${roundingIncrement} ${(1.2374).toLocaleString("en-US", { minimumFractionDigits: 3, maximumFractionDigits: 3, roundingIncrement })}`);
