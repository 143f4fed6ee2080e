// When a sign is shown.
for (const signDisplay of ["auto", "always", "never", "exceptZero", "negative"])
  text(`${signDisplay} ${[1, 0, -0, -1, -0.0001, NaN].map((n) => n.toLocaleString("en-US", { signDisplay, maximumFractionDigits: 2 })).join(" ")}`);
