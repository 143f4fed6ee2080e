// `Intl.PluralRules`, `Intl.ListFormat` and `Intl.RelativeTimeFormat`.
(function (host, kit) {
  "use strict";

  const { intl } = kit;
  const { option } = intl;
  const { stringify, parse } = JSON;
  const { iterator } = Symbol;
  const toNumber = Number;
  const isSame = Object.is;
  const { isFinite } = Number;
  const toText = String;

  const TYPES = ["cardinal", "ordinal"];
  const LIST_TYPES = ["conjunction", "disjunction", "unit"];
  const STYLES = ["long", "short", "narrow"];
  const NUMERIC = ["always", "auto"];
  const UNITS = ["second", "minute", "hour", "day", "week", "month", "quarter", "year"];
  const none = () => false;

  // ---- PluralRules ----

  const textOf = (value) => (isSame(value, -0) ? "-0" : toText(value));
  intl.makers.PluralRules = () =>
    intl.service(
      "PluralRules",
      {},
      (locales, given) => {
        const tags = intl.tagsOf(locales);
        const options = intl.coerce(given);
        intl.readMatcher(options);
        const type = option(options, "type", TYPES, "cardinal");
        const digits = intl.digitOptions(options, 0, 3, "standard");
        const { locale } = intl.resolve(tags, [], {}, none);
        return { locale, type, digits, spec: stringify({ plural: { locale, type, digits } }) };
      },
      (slotsOf) => ({
        select(value) {
          return intl.ask(slotsOf(this, "select").spec, "s", textOf(toNumber(value)));
        },
        selectRange(start, end) {
          const { spec } = slotsOf(this, "selectRange");
          if (start === undefined || end === undefined) throw new TypeError("a range has a start and an end");
          const [a, b] = [toNumber(start), toNumber(end)];
          if (a !== a || b !== b) throw new RangeError("a range has no NaN");
          return intl.ask(spec, "r", `${textOf(a)}\n${textOf(b)}`);
        },
        resolvedOptions() {
          const { locale, type, digits, spec } = slotsOf(this, "resolvedOptions");
          return intl.shown({ locale, type, ...digits, pluralCategories: intl.ask(spec, "c", "").split(" ") });
        },
      }),
    );

  // ---- ListFormat ----

  const MOST_BYTES = 16384;
  function itemsOf(list) {
    const items = [];
    if (list !== undefined)
      for (const item of { [iterator]: () => list[iterator]() }) {
        if (typeof item !== "string") throw new TypeError("Iterable yielded a non-String value");
        items[items.length] = item;
      }
    const json = stringify(items);
    if (json.length > MOST_BYTES) throw new RangeError(`a list of more than ${MOST_BYTES} characters cannot be formatted`);
    return json;
  }
  intl.makers.ListFormat = () =>
    intl.service(
      "ListFormat",
      {},
      (locales, given) => {
        const tags = intl.tagsOf(locales);
        const options = intl.objectOnly(given);
        intl.readMatcher(options);
        const type = option(options, "type", LIST_TYPES, "conjunction");
        const style = option(options, "style", STYLES, "long");
        const { locale } = intl.resolve(tags, [], {}, none);
        return { locale, type, style, spec: stringify({ list: { locale, type, style } }) };
      },
      (slotsOf) => ({
        format(list) {
          return intl.ask(slotsOf(this, "format").spec, "f", itemsOf(list));
        },
        formatToParts(list) {
          return parse(intl.ask(slotsOf(this, "formatToParts").spec, "p", itemsOf(list)));
        },
        resolvedOptions() {
          const { locale, type, style } = slotsOf(this, "resolvedOptions");
          return { locale, type, style };
        },
      }),
    );

  // ---- RelativeTimeFormat ----

  function unitOf(unit) {
    const name = toText(unit);
    for (let i = 0; i < UNITS.length; i++) if (name === UNITS[i] || name === `${UNITS[i]}s`) return UNITS[i];
    throw new RangeError(`Invalid unit argument for format() '${name}': accepted are ${intl.list(UNITS)}`);
  }
  const isNumberKeyword = (_, value) => intl.isNumberingSystem(value);
  intl.makers.RelativeTimeFormat = () =>
    intl.service(
      "RelativeTimeFormat",
      {},
      (locales, given) => {
        const tags = intl.tagsOf(locales);
        const options = intl.coerce(given);
        intl.readMatcher(options);
        const nu = intl.typeOption(options, "numberingSystem");
        const locale = intl.resolve(tags, ["nu"], { nu }, isNumberKeyword);
        const style = option(options, "style", STYLES, "long");
        const numeric = option(options, "numeric", NUMERIC, "always");
        return { tag: locale.tag, spec: { locale: locale.locale, numberingSystem: locale.nu, style, numeric } };
      },
      (slotsOf) => {
        const ask = (slots, verb, value, unit) => {
          const number = toNumber(value);
          const spec = stringify({ relative: { ...slots.spec, unit: unitOf(unit) } });
          if (!isFinite(number)) throw new RangeError("Invalid number value: it must be finite");
          return intl.ask(spec, verb, textOf(number));
        };
        return {
          format(value, unit) {
            return ask(slotsOf(this, "format"), "f", value, unit);
          },
          formatToParts(value, unit) {
            const slots = slotsOf(this, "formatToParts");
            const parts = parse(ask(slots, "p", value, unit));
            for (let i = 0; i < parts.length; i++) if (parts[i].type !== "literal") parts[i].unit = unitOf(unit);
            return parts;
          },
          resolvedOptions() {
            const { tag, spec } = slotsOf(this, "resolvedOptions");
            const { style, numeric, locale, numberingSystem } = spec;
            return { locale: tag, style, numeric, numberingSystem: numberingSystem ?? new (intl.constructorOf("NumberFormat"))(locale).resolvedOptions().numberingSystem };
          },
        };
      },
    );
});
