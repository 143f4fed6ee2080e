// `Intl.NumberFormat`, and numbers in the words of a locale.
(function (host, kit) {
  "use strict";

  const { intl, apply } = kit;
  const { option, number, flag } = intl;
  const { stringify, parse } = JSON;
  const { test, exec } = RegExp.prototype;
  const { toString: bigIntToText } = BigInt.prototype;
  const { valueOf: numberValue } = Number.prototype;
  const { valueOf: bigIntValue } = BigInt.prototype;
  const { trim } = String.prototype;
  const { isNaN } = Number;
  const toText = String;
  const toNumber = Number;
  const isSame = Object.is;

  const STYLES = ["decimal", "percent", "currency", "unit"];
  const CURRENCY_DISPLAYS = ["code", "symbol", "narrowSymbol", "name"];
  const CURRENCY_SIGNS = ["standard", "accounting"];
  const WIDTHS = ["short", "narrow", "long"];
  const NOTATIONS = ["standard", "scientific", "engineering", "compact"];
  const COMPACT_DISPLAYS = ["short", "long"];
  const GROUPINGS = ["min2", "auto", "always", "true", "false"];
  const SIGN_DISPLAYS = ["auto", "never", "always", "exceptZero", "negative"];
  const INCREMENTS = [1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000, 2500, 5000];
  const MODES = ["ceil", "floor", "expand", "trunc", "halfCeil", "halfFloor", "halfExpand", "halfTrunc", "halfEven"];
  const PRIORITIES = ["auto", "morePrecision", "lessPrecision"];
  const TRAILING_ZEROS = ["auto", "stripIfInteger"];
  const UNITS = new Set(
    ("acre bit byte celsius centimeter day degree fahrenheit fluid-ounce foot gallon gigabit gigabyte gram hectare hour inch kilobit " +
      "kilobyte kilogram kilometer liter megabit megabyte meter microsecond mile mile-scandinavian milliliter millimeter millisecond " +
      "minute month nanosecond ounce percent petabyte pound second stone terabit terabyte week yard year").split(" "),
  );
  const { has } = Set.prototype;
  const CURRENCY = /^[a-z]{3}$/i;
  intl.units = () => [...UNITS];

  function isUnit(unit) {
    if (apply(has, UNITS, [unit])) return true;
    const at = unit.indexOf("-per-");
    return at > 0 && apply(has, UNITS, [unit.slice(0, at)]) && apply(has, UNITS, [unit.slice(at + 5)]);
  }

  // The digits of each currency that was asked for.
  const currencyDigits = Object.create(null);
  const digitsOf = (currency) => (currencyDigits[currency] ??= toNumber(intl.askOfLocales("d", currency)));

  // SetNumberFormatDigitOptions, which PluralRules has, too.
  intl.digitOptions = function digitOptions(options, leastDefault, mostDefault, notation, compactRounding) {
    const minimumIntegerDigits = number(options.minimumIntegerDigits, "minimumIntegerDigits", 1, 21, 1);
    let leastFraction = options.minimumFractionDigits;
    let mostFraction = options.maximumFractionDigits;
    let leastSignificant = options.minimumSignificantDigits;
    let mostSignificant = options.maximumSignificantDigits;
    const roundingIncrement = number(options.roundingIncrement, "roundingIncrement", 1, 5000, 1);
    let isIncrement = false;
    for (let i = 0; i < INCREMENTS.length; i++) if (INCREMENTS[i] === roundingIncrement) isIncrement = true;
    if (!isIncrement) throw new RangeError(`roundingIncrement value is out of range: accepted are ${intl.list(INCREMENTS)}`);
    const roundingMode = option(options, "roundingMode", MODES, "halfExpand");
    let roundingPriority = option(options, "roundingPriority", PRIORITIES, "auto");
    const trailingZeroDisplay = option(options, "trailingZeroDisplay", TRAILING_ZEROS, "auto");
    if (roundingIncrement !== 1) mostDefault = leastDefault;

    const digits = { minimumIntegerDigits };
    const hasSignificant = leastSignificant !== undefined || mostSignificant !== undefined;
    const hasFraction = leastFraction !== undefined || mostFraction !== undefined;
    let needsSignificant = true;
    let needsFraction = true;
    if (roundingPriority === "auto") {
      needsSignificant = hasSignificant;
      if (needsSignificant || (!hasFraction && notation === "compact")) needsFraction = false;
    }
    if (needsSignificant) {
      if (hasSignificant) {
        leastSignificant = number(leastSignificant, "minimumSignificantDigits", 1, 21, 1);
        mostSignificant = number(mostSignificant, "maximumSignificantDigits", leastSignificant, 21, 21);
      } else {
        leastSignificant = 1;
        mostSignificant = 21;
      }
    } else leastSignificant = mostSignificant = undefined;
    if (needsFraction) {
      if (hasFraction) {
        leastFraction = number(leastFraction, "minimumFractionDigits", 0, 100);
        mostFraction = number(mostFraction, "maximumFractionDigits", 0, 100);
        if (leastFraction === undefined) leastFraction = leastDefault < mostFraction ? leastDefault : mostFraction;
        else if (mostFraction === undefined) mostFraction = mostDefault > leastFraction ? mostDefault : leastFraction;
        else if (leastFraction > mostFraction)
          throw new RangeError("maximumFractionDigits value is out of range: it must not be less than minimumFractionDigits");
      } else {
        leastFraction = leastDefault;
        mostFraction = mostDefault;
      }
    } else leastFraction = mostFraction = undefined;
    if (!needsSignificant && !needsFraction) {
      leastFraction = mostFraction = 0;
      leastSignificant = 1;
      mostSignificant = 2;
      roundingPriority = "morePrecision";
    }
    if (roundingIncrement !== 1) {
      if (roundingPriority !== "auto" || leastSignificant !== undefined)
        throw new TypeError("roundingIncrement goes with fraction digits only");
      if (leastFraction !== mostFraction)
        throw new RangeError("roundingIncrement needs minimumFractionDigits and maximumFractionDigits to be equal");
    }
    digits.minimumFractionDigits = leastFraction;
    digits.maximumFractionDigits = mostFraction;
    digits.minimumSignificantDigits = leastSignificant;
    digits.maximumSignificantDigits = mostSignificant;
    digits.roundingIncrement = roundingIncrement;
    digits.roundingMode = roundingMode;
    digits.roundingPriority = roundingPriority;
    digits.trailingZeroDisplay = trailingZeroDisplay;
    return digits;
  };

  const isNumberKeyword = (_, value) => intl.isNumberingSystem(value);

  function resolve(locales, given) {
    const tags = intl.tagsOf(locales);
    const options = intl.coerce(given);
    intl.readMatcher(options);
    const nu = intl.typeOption(options, "numberingSystem");
    const locale = intl.resolve(tags, ["nu"], { nu }, isNumberKeyword);

    const style = option(options, "style", STYLES, "decimal");
    let currency = option(options, "currency");
    if (currency === undefined) {
      if (style === "currency") throw new TypeError("Currency code is required with currency style.");
    } else if (!apply(test, CURRENCY, [currency])) throw new RangeError(`Invalid currency code : ${currency}`);
    let currencyDisplay = option(options, "currencyDisplay", CURRENCY_DISPLAYS, "symbol");
    let currencySign = option(options, "currencySign", CURRENCY_SIGNS, "standard");
    let unit = option(options, "unit");
    if (unit === undefined) {
      if (style === "unit") throw new TypeError("Unit is required with unit style.");
    } else if (!isUnit(unit)) throw new RangeError(`Invalid unit argument for Intl.NumberFormat() '${unit}'`);
    let unitDisplay = option(options, "unitDisplay", WIDTHS, "short");
    if (style === "currency") currency = currency.toUpperCase();
    else currency = currencyDisplay = currencySign = undefined;
    if (style !== "unit") unit = unitDisplay = undefined;

    const notation = option(options, "notation", NOTATIONS, "standard");
    let least = 0;
    let most = style === "percent" ? 0 : 3;
    if (style === "currency" && notation === "standard") least = most = digitsOf(currency);
    else if (style === "currency") most = 0;
    const digits = intl.digitOptions(options, least, most, notation);
    let compactDisplay = option(options, "compactDisplay", COMPACT_DISPLAYS, "short");
    let groupingDefault = "auto";
    if (notation === "compact") groupingDefault = "min2";
    else compactDisplay = undefined;
    let useGrouping = options.useGrouping;
    if (useGrouping === undefined) useGrouping = groupingDefault;
    else if (useGrouping === true) useGrouping = "always";
    else if (!useGrouping) useGrouping = false;
    else {
      useGrouping = option({ useGrouping }, "useGrouping", GROUPINGS);
      if (useGrouping === "true" || useGrouping === "false") useGrouping = groupingDefault;
    }
    const signDisplay = option(options, "signDisplay", SIGN_DISPLAYS, "auto");

    const spec = {
      locale: locale.locale,
      numberingSystem: locale.nu,
      style,
      currency,
      currencyDisplay,
      currencySign,
      unit,
      unitDisplay,
      notation,
      compactDisplay,
      useGrouping: useGrouping || "never",
      signDisplay,
      digits,
    };
    return { tag: locale.tag, options: spec, useGrouping, spec: stringify({ number: spec }), bound: undefined };
  }
  intl.resolveNumber = resolve;

  // What `new Intl.NumberFormat()` asks, without the way there.
  let plain;

  // The exact value of a string, when it is a decimal one that is not absurdly long.
  const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d{1,3})?$/i;

  // ToIntlMathematicalValue, as text.
  function operandOf(value) {
    if (typeof value === "number") return isSame(value, -0) ? "-0" : toText(value);
    if (typeof value === "object" && value !== null) value = primitiveOf(value);
    if (typeof value === "bigint") return apply(bigIntToText, value, []);
    if (typeof value === "string") {
      const trimmed = apply(trim, value, []);
      if (apply(test, DECIMAL, [trimmed])) return trimmed[0] === "." ? `0${trimmed}` : exact(trimmed);
    }
    return operandOf(toNumber(value));
  }
  const exact = (text) => text.replace(/^([+-]?)\./, "$10.").replace(/\.(e|$)/i, "$1").replace(/^\+/, "");

  const { toPrimitive } = Symbol;
  function primitiveOf(object) {
    const convert = object[toPrimitive];
    if (convert !== undefined && convert !== null) return apply(convert, object, ["number"]);
    const value = typeof object.valueOf === "function" ? object.valueOf() : object;
    return typeof value === "object" && value !== null ? object.toString() : value;
  }
  intl.operandOf = operandOf;

  const rangeOf = (start, end) => {
    if (start === undefined || end === undefined) throw new TypeError("a range has a start and an end");
    const a = operandOf(start);
    const b = operandOf(end);
    if (a === "NaN" || b === "NaN") throw new RangeError("a range has no NaN");
    return `${a}\n${b}`;
  };

  intl.makers.NumberFormat = () =>
    intl.service("NumberFormat", { callable: true }, resolve, (slotsOf) => ({
      get format() {
        const slots = slotsOf(this, "format");
        if (slots.bound === undefined) {
          const { spec } = slots;
          slots.bound = { "": (value) => intl.ask(spec, "f", operandOf(value)) }[""];
        }
        return slots.bound;
      },
      formatToParts(value) {
        return parse(intl.ask(slotsOf(this, "formatToParts").spec, "p", operandOf(value)));
      },
      formatRange(start, end) {
        return intl.ask(slotsOf(this, "formatRange").spec, "r", rangeOf(start, end));
      },
      formatRangeToParts(start, end) {
        return parse(intl.ask(slotsOf(this, "formatRangeToParts").spec, "R", rangeOf(start, end)));
      },
      resolvedOptions() {
        const { tag, options, useGrouping, spec } = slotsOf(this, "resolvedOptions");
        const { digits } = options;
        return intl.shown({
          locale: tag,
          numberingSystem: intl.ask(spec, "n", ""),
          style: options.style,
          currency: options.currency,
          currencyDisplay: options.currencyDisplay,
          currencySign: options.currencySign,
          unit: options.unit,
          unitDisplay: options.unitDisplay,
          minimumIntegerDigits: digits.minimumIntegerDigits,
          minimumFractionDigits: digits.minimumFractionDigits,
          maximumFractionDigits: digits.maximumFractionDigits,
          minimumSignificantDigits: digits.minimumSignificantDigits,
          maximumSignificantDigits: digits.maximumSignificantDigits,
          useGrouping,
          notation: options.notation,
          compactDisplay: options.compactDisplay,
          signDisplay: options.signDisplay,
          roundingIncrement: digits.roundingIncrement,
          roundingMode: digits.roundingMode,
          roundingPriority: digits.roundingPriority,
          trailingZeroDisplay: digits.trailingZeroDisplay,
        });
      },
    }));

  function specOf(locales, options) {
    if (options === undefined && (locales === undefined || locales === "en-US"))
      return (plain ??= resolve(undefined, undefined).spec);
    return resolve(locales, options).spec;
  }
  intl.numberSpec = specOf;

  intl.addMembers(Number.prototype, {
    toLocaleString() {
      const value = apply(numberValue, this, []);
      return intl.ask(specOf(arguments[0], arguments[1]), "f", operandOf(value));
    },
  });
  intl.addMembers(BigInt.prototype, {
    toLocaleString() {
      const value = apply(bigIntValue, this, []);
      return intl.ask(specOf(arguments[0], arguments[1]), "f", operandOf(value));
    },
  });
});
