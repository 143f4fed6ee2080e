// `Intl.Collator`, `Intl.Segmenter`, and strings in the ways of a locale.
(function (host, kit) {
  "use strict";

  const { intl, apply } = kit;
  const { option, flag } = intl;
  const { stringify } = JSON;
  const { toWellFormed, substring, split, replace, toUpperCase, toLowerCase } = String.prototype;
  const { indexOf } = String.prototype;
  const { getPrototypeOf, create } = Object;
  const toText = String;

  const USAGES = ["sort", "search"];
  const SENSITIVITIES = ["base", "accent", "case", "variant"];
  const CASES = ["upper", "lower", "false"];
  const COLLATIONS = ["compat", "dict", "emoji", "eor", "phonebk", "phonetic", "pinyin", "stroke", "trad", "zhuyin"];
  const GRANULARITIES = ["grapheme", "word", "sentence"];
  intl.collations = () => [...COLLATIONS];
  const isOneOf = (value, values) => {
    for (let i = 0; i < values.length; i++) if (values[i] === value) return true;
    return false;
  };
  const isKeyword = (key, value) =>
    isOneOf(value, key === "co" ? COLLATIONS : key === "kn" ? ["true", "false"] : CASES);

  // ---- Collator ----

  function resolve(locales, given) {
    const tags = intl.tagsOf(locales);
    const options = intl.coerce(given);
    const usage = option(options, "usage", USAGES, "sort");
    intl.readMatcher(options);
    const co = intl.typeOption(options, "collation");
    let kn = options.numeric;
    if (kn !== undefined) kn = kn ? "true" : "false";
    const kf = option(options, "caseFirst", CASES);
    const locale = intl.resolve(tags, ["co", "kf", "kn"], { co, kn, kf }, isKeyword);
    const sensitivity = option(options, "sensitivity", SENSITIVITIES, "variant");
    const ignorePunctuation = flag(options, "ignorePunctuation", locale.locale.split("-")[0] === "th");
    const spec = {
      locale: locale.locale,
      usage,
      sensitivity,
      ignorePunctuation,
      collation: locale.co ?? "default",
      numeric: locale.kn === "true",
      caseFirst: locale.kf ?? "false",
    };
    return { tag: locale.tag, options: spec, spec: stringify({ collator: spec }), bound: undefined };
  }

  function compare(spec, x, y) {
    const a = toText(x);
    const b = toText(y);
    if (a === b) return 0;
    const text = `${apply(toWellFormed, a, [])}\0${apply(toWellFormed, b, [])}`;
    // A zero would end the first string too early; it weighs nothing in any language.
    const clean = apply(indexOf, a, ["\0"]) < 0 && apply(indexOf, b, ["\0"]) < 0;
    return +intl.ask(spec, "c", clean ? text : `${apply(replace, a, [/\0/g, ""])}\0${apply(replace, b, [/\0/g, ""])}`);
  }

  intl.makers.Collator = () =>
    intl.service("Collator", { callable: true }, resolve, (slotsOf) => ({
      get compare() {
        const slots = slotsOf(this, "compare");
        if (slots.bound === undefined) {
          const { spec } = slots;
          slots.bound = { "": (x, y) => compare(spec, x, y) }[""];
        }
        return slots.bound;
      },
      resolvedOptions() {
        const { tag, options } = slotsOf(this, "resolvedOptions");
        return { ...options, locale: tag };
      },
    }));

  let plain;
  const subject = (string, name) => {
    if (string === undefined || string === null) throw new TypeError(`String.prototype.${name} called on null or undefined`);
    return toText(string);
  };
  intl.addMembers(String.prototype, {
    localeCompare(that) {
      const string = subject(this, "localeCompare");
      const other = toText(that);
      const [locales, options] = [arguments[1], arguments[2]];
      const spec = locales === undefined && options === undefined ? (plain ??= resolve().spec) : resolve(locales, options).spec;
      return compare(spec, string, other);
    },
  });

  // Turkish and Azerbaijani have two letters i; in other languages the language's own methods do.
  const isTurkic = (locales) => {
    const tags = intl.tagsOf(locales);
    return tags.length > 0 && isOneOf(intl.parse(tags[0]).base.split("-")[0], ["tr", "az"]);
  };
  intl.addMembers(String.prototype, {
    toLocaleUpperCase() {
      const string = subject(this, "toLocaleUpperCase");
      return apply(toUpperCase, isTurkic(arguments[0]) ? apply(replace, string, [/i/g, "\u0130"]) : string, []);
    },
    toLocaleLowerCase() {
      const string = subject(this, "toLocaleLowerCase");
      if (!isTurkic(arguments[0])) return apply(toLowerCase, string, []);
      const dotless = apply(replace, apply(replace, string, [/\u0130|I\u0307/g, "i"]), [/I/g, "\u0131"]);
      return apply(toLowerCase, dotless, []);
    },
  });

  // ---- Segmenter ----

  const WINDOW = 1024;
  const LONGEST_WINDOW = 16384;

  // The segments of a string from a place on, by windows of it: the last segment of a window may go on after it.
  function segmentsFrom(spec, string, at, each) {
    let size = WINDOW;
    while (at < string.length) {
      let end = at + size;
      const isLast = end >= string.length;
      if (isLast) end = string.length;
      const lengths = apply(split, intl.ask(spec, "s", apply(toWellFormed, apply(substring, string, [at, end]), [])), [" "]);
      // What a single segment fills is asked for again in a larger window, up to a bound.
      const whole = isLast || (lengths.length === 1 && size >= LONGEST_WINDOW) ? lengths.length : lengths.length - 1;
      if (whole === 0) {
        size *= 2;
        continue;
      }
      size = WINDOW;
      for (let i = 0; i < whole; i++) {
        const length = +lengths[i];
        const isWordLike = length < 0;
        const start = at;
        at += isWordLike ? -length : length;
        if (each(start, at, isWordLike)) return;
      }
    }
  }

  const segment = (slots, start, end, isWordLike) => {
    const { string, granularity } = slots;
    const data = { segment: apply(substring, string, [start, end]), index: start, input: string };
    if (granularity === "word") data.isWordLike = isWordLike;
    return data;
  };

  const IteratorPrototype = getPrototypeOf(getPrototypeOf([][Symbol.iterator]()));
  const SegmentsPrototype = {};
  const SegmentIterator = create(IteratorPrototype);
  intl.addMembers(SegmentIterator, {
    next() {
      const slots = intl.slots(this, "Segment Iterator");
      if (slots === undefined) throw new TypeError("next() called on an incompatible receiver");
      const { ready } = slots;
      if (slots.next >= ready.length && slots.at < slots.string.length) {
        slots.next = ready.length = 0;
        segmentsFrom(slots.spec, slots.string, slots.at, (start, end, isWordLike) => {
          ready[ready.length] = segment(slots, start, end, isWordLike);
          slots.at = end;
          return ready.length >= 64;
        });
      }
      return slots.next < ready.length ? { value: ready[slots.next++], done: false } : { value: undefined, done: true };
    },
  });
  Object.defineProperty(SegmentIterator, Symbol.toStringTag, { value: "Segmenter String Iterator", configurable: true });
  intl.addMembers(SegmentsPrototype, {
    containing(index) {
      const slots = intl.slots(this, "Segments");
      if (slots === undefined) throw new TypeError("containing() called on an incompatible receiver");
      const place = Math.trunc(+index) || 0;
      if (place < 0 || place >= slots.string.length) return undefined;
      let found;
      segmentsFrom(slots.spec, slots.string, 0, (start, end, isWordLike) => {
        if (place >= end) return false;
        found = segment(slots, start, end, isWordLike);
        return true;
      });
      return found;
    },
    [Symbol.iterator]() {
      const slots = intl.slots(this, "Segments");
      if (slots === undefined) throw new TypeError("segments are iterated on an incompatible receiver");
      return intl.stamp(create(SegmentIterator), { ...slots, kind: "Segment Iterator", ready: [], next: 0, at: 0 });
    },
  });

  intl.makers.Segmenter = () =>
    intl.service(
      "Segmenter",
      {},
      (locales, given) => {
        const tags = intl.tagsOf(locales);
        const options = intl.objectOnly(given);
        intl.readMatcher(options);
        const { locale } = intl.resolve(tags, [], {}, () => false);
        const granularity = option(options, "granularity", GRANULARITIES, "grapheme");
        return { locale, granularity, spec: stringify({ segmenter: { granularity } }) };
      },
      (slotsOf) => ({
        segment(string) {
          const { spec, granularity } = slotsOf(this, "segment");
          return intl.stamp(create(SegmentsPrototype), { kind: "Segments", spec, granularity, string: toText(string) });
        },
        resolvedOptions() {
          const { locale, granularity } = slotsOf(this, "resolvedOptions");
          return { locale, granularity };
        },
      }),
    );
});
