// `Intl.DateTimeFormat`, and dates in the words of a locale.
(function (host, kit) {
  "use strict";

  const { intl, apply } = kit;
  const { option } = intl;
  const { timeZone } = host;
  const { stringify, parse } = JSON;
  const { getTime } = Date.prototype;
  const { now } = Date;
  const { test } = RegExp.prototype;
  const { isFinite } = Number;
  const { trunc } = Math;
  const toText = String;
  const toNumber = Number;

  const TEXTS = ["narrow", "short", "long"];
  const NUMBERS = ["2-digit", "numeric"];
  const MONTHS = ["2-digit", "numeric", "narrow", "short", "long"];
  const ZONE_NAMES = ["short", "long", "shortOffset", "longOffset", "shortGeneric", "longGeneric"];
  const STYLES = ["full", "long", "medium", "short"];
  const CYCLES = ["h11", "h12", "h23", "h24"];
  const MATCHERS = ["basic", "best fit"];
  const CALENDARS = ["gregory"];
  intl.calendars = () => ["gregory"];
  const isOneOf = (value, values) => {
    for (let i = 0; i < values.length; i++) if (values[i] === value) return true;
    return false;
  };

  const isKeyword = (key, value) =>
    key === "nu" ? intl.isNumberingSystem(value) : isOneOf(value, key === "hc" ? CYCLES : CALENDARS);

  // The zone asked for last.
  let lastZone = "UTC";
  let lastName = "UTC";
  function zoneNamed(zone) {
    if (zone === undefined) return timeZone();
    zone = toText(zone);
    if (zone === lastZone) return lastName;
    let name;
    try {
      if (zone.length > 64) throw null;
      name = intl.askOfLocales("z", zone);
    } catch {
      throw new RangeError(`Invalid time zone specified: ${zone}`);
    }
    lastZone = zone;
    return (lastName = name);
  }

  // What DateTimeFormat takes for options. `required` and `defaults` say which fields there have to be, and which
  // there are when none is asked for: "date", "time", "any" and "all".
  function resolve(locales, given, required, defaults) {
    const tags = intl.tagsOf(locales);
    const options = intl.coerce(given);
    intl.readMatcher(options);
    const ca = intl.typeOption(options, "calendar");
    const nu = intl.typeOption(options, "numberingSystem");
    const hour12 = options.hour12 === undefined ? undefined : !!options.hour12;
    let hc = option(options, "hourCycle", CYCLES);
    if (hour12 !== undefined) hc = null;
    const locale = intl.resolve(tags, ["ca", "hc", "nu"], { ca, nu, hc: hc ?? undefined }, isKeyword);
    const zone = zoneNamed(options.timeZone);

    const fields = {
      weekday: option(options, "weekday", TEXTS),
      era: option(options, "era", TEXTS),
      year: option(options, "year", NUMBERS),
      month: option(options, "month", MONTHS),
      day: option(options, "day", NUMBERS),
    };
    const dayPeriod = option(options, "dayPeriod", TEXTS);
    fields.hour = option(options, "hour", NUMBERS);
    fields.minute = option(options, "minute", NUMBERS);
    fields.second = option(options, "second", NUMBERS);
    fields.fractionalSecondDigits = intl.number(options.fractionalSecondDigits, "fractionalSecondDigits", 1, 3);
    fields.timeZoneName = option(options, "timeZoneName", ZONE_NAMES);
    option(options, "formatMatcher", MATCHERS, "best fit");
    const dateStyle = option(options, "dateStyle", STYLES);
    const timeStyle = option(options, "timeStyle", STYLES);

    const hasDate = fields.weekday ?? fields.year ?? fields.month ?? fields.day;
    const hasTime = dayPeriod ?? fields.hour ?? fields.minute ?? fields.second ?? fields.fractionalSecondDigits;
    if (dateStyle !== undefined || timeStyle !== undefined) {
      for (const name in fields)
        if (fields[name] !== undefined) throw new TypeError(`Can't set option ${name} when ${dateStyle === undefined ? "timeStyle" : "dateStyle"} is used`);
      if (dayPeriod !== undefined) throw new TypeError("Can't set option dayPeriod when dateStyle or timeStyle is used");
      if (required === "date" && timeStyle !== undefined) throw new TypeError("Invalid option : timeStyle");
      if (required === "time" && dateStyle !== undefined) throw new TypeError("Invalid option : dateStyle");
    } else {
      const needsDefaults =
        (required === "time" || hasDate === undefined) && (required === "date" || hasTime === undefined);
      if (needsDefaults && defaults !== "time") fields.year = fields.month = fields.day = "numeric";
      if (needsDefaults && defaults !== "date") fields.hour = fields.minute = fields.second = "numeric";
    }
    // The periods of a day have no names here: the clock of twelve hours is what comes nearest.
    let hourCycle = locale.hc;
    if (hour12 !== undefined) hourCycle = hour12 ? "clock12" : "clock24";
    else if (dayPeriod !== undefined) {
      hourCycle ??= "clock12";
      fields.hour ??= "numeric";
    }
    const spec = { locale: locale.locale, numberingSystem: locale.nu, hourCycle, timeZone: zone, dateStyle, timeStyle, ...fields };
    return { tag: locale.tag, options: spec, dayPeriod, spec: stringify({ dateTime: spec }), bound: undefined };
  }

  // What was asked for last, as dates are often formatted in a loop with the same words.
  const plain = { any: undefined, date: undefined, time: undefined };
  let plainZone;
  function specOf(locales, options, required, defaults) {
    if (options === undefined && (locales === undefined || locales === "en-US")) {
      const zone = timeZone();
      if (zone !== plainZone) plain.any = plain.date = plain.time = undefined;
      plainZone = zone;
      return (plain[required] ??= resolve(undefined, undefined, required, defaults).spec);
    }
    return resolve(locales, options, required, defaults).spec;
  }

  const LATEST = 8.64e15;
  function timeOf(value) {
    const time = value === undefined ? now() : toNumber(value);
    if (!(time >= -LATEST && time <= LATEST)) throw new RangeError("Invalid time value");
    return toText(trunc(time) + 0);
  }
  const rangeOf = (start, end) => {
    if (start === undefined || end === undefined) throw new TypeError("startDate or endDate cannot be undefined");
    return `${timeOf(start)}\n${timeOf(end)}`;
  };

  const ORDER = ["weekday", "era", "year", "month", "day", "hour", "minute", "second", "fractionalSecondDigits"];

  intl.makers.DateTimeFormat = () =>
    intl.service(
      "DateTimeFormat",
      { callable: true },
      (locales, options) => resolve(locales, options, "any", "date"),
      (slotsOf) => ({
        get format() {
          const slots = slotsOf(this, "format");
          if (slots.bound === undefined) {
            const { spec } = slots;
            slots.bound = { "": (date) => intl.ask(spec, "f", timeOf(date)) }[""];
          }
          return slots.bound;
        },
        formatToParts(date) {
          return parse(intl.ask(slotsOf(this, "formatToParts").spec, "p", timeOf(date)));
        },
        formatRange(start, end) {
          return intl.ask(slotsOf(this, "formatRange").spec, "r", rangeOf(start, end));
        },
        formatRangeToParts(start, end) {
          return parse(intl.ask(slotsOf(this, "formatRangeToParts").spec, "R", rangeOf(start, end)));
        },
        resolvedOptions() {
          const { tag, options, dayPeriod, spec } = slotsOf(this, "resolvedOptions");
          const said = Object.create(null);
          for (const line of intl.ask(spec, "o", "").split("\n")) {
            const at = line.indexOf(" ");
            said[line.slice(0, at)] = line.slice(at + 1);
          }
          const all = {
            locale: tag,
            calendar: "gregory",
            numberingSystem: said.numberingSystem,
            timeZone: options.timeZone,
            hourCycle: said.hourCycle,
            hour12: said.hourCycle === undefined ? undefined : said.hourCycle === "h11" || said.hourCycle === "h12",
          };
          const { dateStyle, timeStyle, timeZoneName } = options;
          if (dateStyle === undefined && timeStyle === undefined) {
            for (let i = 0; i < ORDER.length; i++) all[ORDER[i]] = said[ORDER[i]];
            if (all.fractionalSecondDigits !== undefined) all.fractionalSecondDigits = toNumber(all.fractionalSecondDigits);
            all.dayPeriod = dayPeriod;
            all.timeZoneName = timeZoneName;
          }
          all.dateStyle = dateStyle;
          all.timeStyle = timeStyle;
          return intl.shown(all);
        },
      }),
    );

  const locally = (required, defaults) =>
    function (date, locales, options) {
      const time = apply(getTime, date, []);
      if (!isFinite(time)) return "Invalid Date";
      return intl.ask(specOf(locales, options, required, defaults), "f", toText(time));
    };
  const inFull = locally("any", "all");
  const asDate = locally("date", "date");
  const asTime = locally("time", "time");
  intl.addMembers(Date.prototype, {
    toLocaleString() {
      return inFull(this, arguments[0], arguments[1]);
    },
    toLocaleDateString() {
      return asDate(this, arguments[0], arguments[1]);
    },
    toLocaleTimeString() {
      return asTime(this, arguments[0], arguments[1]);
    },
  });
});
