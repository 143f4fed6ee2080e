// The object itself: what it has, and that a cell may replace it.
text(Object.prototype.toString.call(Intl));
text(Object.getOwnPropertyNames(Intl).sort());
text(Intl.getCanonicalLocales(["EN-us", "de-DE", "de-de", "zh-hans-cn", "iw"]));
text(Object.keys(Intl));
text([typeof Intl, Intl.NumberFormat === Intl.NumberFormat, "Intl" in globalThis]);
class Money extends Intl.NumberFormat {
  constructor() {
    super("en-US", { style: "currency", currency: "USD" });
  }
}
text(new Money().format(2));
text(Reflect.ownKeys(new Money()));
Array.prototype.push = String.prototype.indexOf = String.prototype.split = JSON.stringify = () => text("reached");
text((1234.5).toLocaleString("de-DE"));
