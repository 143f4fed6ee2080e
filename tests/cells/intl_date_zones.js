// Time zones by name and by offset, whatever the cell's own is.
const d = new Date("2026-07-01T16:30:00Z");
for (const timeZone of ["UTC", "America/New_York", "America/Los_Angeles", "Europe/London", "Europe/Berlin", "Asia/Kolkata", "Asia/Tokyo", "Australia/Sydney", "Pacific/Auckland", "America/Sao_Paulo"])
  text(`${timeZone} ${d.toLocaleString("en-US", { timeZone })} ${d.toLocaleTimeString("en-US", { timeZone, timeZoneName: "short", hour: "numeric" })}`);
text(new Intl.DateTimeFormat("en-CA", { timeZone: "America/New_York" }).format(new Date("2026-01-01T03:00:00Z")));
text(d.toLocaleString("sv-SE", { timeZone: "Europe/Stockholm" }));
for (const timeZoneName of ["short", "long", "shortOffset", "longOffset", "shortGeneric", "longGeneric"])
  text(`${timeZoneName} ${d.toLocaleTimeString("en-US", { timeZone: "America/Chicago", timeZoneName, hour: "numeric" })}`);
text(new Intl.DateTimeFormat("en-US", { timeZone: "europe/paris" }).resolvedOptions().timeZone);
text(new Intl.DateTimeFormat("en-US", { timeZone: "Etc/UTC" }).resolvedOptions().timeZone);
text(Intl.DateTimeFormat().resolvedOptions().timeZone);
try {
  d.toLocaleString("en-US", { timeZone: "Mars/Olympus" });
} catch (error) {
  text(`${error.name}: ${error.message}`);
}
// Across a change of the clocks.
for (const time of ["2026-03-08T06:59:59Z", "2026-03-08T07:00:00Z", "2026-11-01T05:59:59Z", "2026-11-01T06:00:00Z"])
  text(new Date(time).toLocaleTimeString("en-US", { timeZone: "America/New_York", timeZoneName: "short" }));
