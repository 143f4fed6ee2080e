// When digits are grouped.
for (const useGrouping of [true, false, "always", "auto", "min2", "true", undefined])
  text(`${useGrouping} ${[1234, 12345].map((n) => `${n.toLocaleString("en-US", { useGrouping })} ${n.toLocaleString("es-ES", { useGrouping })}`).join(" ")}`);
text((123456789).toLocaleString("en-IN"));
