// zone: America/New_York
// The session's time zone: local methods of Date, times without a zone, and the changes of the clocks.
const d = new Date("2026-07-01T16:30:00Z");
text([d.getHours(), d.getDate(), d.getTimezoneOffset(), d.toString()].join(" "));
text(new Date("2026-01-15T03:00:00Z").toString());
text(d.toLocaleString());
text(d.toLocaleTimeString("en-US", { timeZoneName: "short" }));
text(Intl.DateTimeFormat().resolvedOptions().timeZone);
text(new Date(2026, 6, 1, 12, 30).toISOString());
text(new Date("2026-07-01T12:30:00").toISOString());
text(new Date("2026-07-01").toISOString());
text(new Date("Jul 1, 2026 12:30").toISOString());
// In the spring an hour is skipped, in the autumn one comes twice.
text(new Date(2026, 2, 8, 2, 30).toString());
text(new Date(2026, 10, 1, 1, 30).toString());
text(new Date("2026-11-01T06:30:00Z").toString());
const moved = new Date(2026, 2, 7, 12);
moved.setDate(moved.getDate() + 1);
text(moved.toISOString());
text(new Date(-1e12).getTimezoneOffset());
text(new Date(8.64e15).getTimezoneOffset());
