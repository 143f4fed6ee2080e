// What the services of `Intl` share: how the standard reads locales and options, and how a service is made.
(function (host, kit) {
  "use strict";

  const { compute } = host;
  const { INTL } = kit.questions;
  const { apply } = kit;
  const { create, defineProperty, getOwnPropertyDescriptors } = Object;
  const { construct, ownKeys } = Reflect;
  const { stringify } = JSON;
  const { floor } = Math;
  const { split, indexOf } = String.prototype;
  const { test } = RegExp.prototype;
  const toText = String;
  const toNumber = Number;
  const toObject = Object;

  const intl = (kit.intl = create(null));

  // Asks the host: what a service that is named by its options as JSON says to a letter and an operand.
  intl.ask = (spec, verb, operand) => compute(INTL, spec, verb + operand);

  // ---- locales ----

  const LOCALES = '{"locale":{}}';
  const LONGEST_TAG = 256;
  const DEFAULT_LOCALE = "en-US";
  intl.DEFAULT_LOCALE = DEFAULT_LOCALE;
  intl.askOfLocales = (verb, operand) => compute(INTL, LOCALES, verb + operand);

  // The tag asked for last, for code that formats in a loop.
  let lastTag = DEFAULT_LOCALE;
  let lastFound = { tag: DEFAULT_LOCALE, isKnown: true };
  function lookUp(tag) {
    if (tag === lastTag) return lastFound;
    let reply;
    try {
      if (tag.length > LONGEST_TAG) throw null;
      reply = intl.askOfLocales("c", tag);
    } catch {
      throw new RangeError(`Incorrect locale information provided: ${stringify(tag)} is not a language tag`);
    }
    lastTag = tag;
    lastFound = { tag: reply.substring(1), isKnown: reply[0] === "+" };
    return lastFound;
  }
  intl.canonicalTag = (tag) => lookUp(tag).tag;

  // CanonicalizeLocaleList: canonical tags, without repetition.
  function tagsOf(locales) {
    if (locales === undefined) return [];
    if (typeof locales === "string") return [lookUp(locales).tag];
    const own = intl.tagOfLocale?.(locales);
    if (own !== undefined) return [own];
    const list = toObject(locales === null ? intl.refuseNull() : locales);
    const tags = [];
    const length = floor(toNumber(list.length)) || 0;
    for (let i = 0; i < length; i++) {
      if (!(i in list)) continue;
      const item = list[i];
      if (typeof item !== "string" && (typeof item !== "object" || item === null))
        throw new TypeError("Incorrect locale information provided: a locale is a string or an Intl.Locale");
      const { tag } = lookUp(intl.tagOfLocale?.(item) ?? toText(item));
      let isNew = true;
      for (let j = 0; j < tags.length; j++) if (tags[j] === tag) isNew = false;
      if (isNew) tags[tags.length] = tag;
    }
    return tags;
  }
  intl.tagsOf = tagsOf;
  intl.refuseNull = () => {
    throw new TypeError("Cannot convert null to a list of locales");
  };

  // Splits a canonical tag into what comes before its extensions and its Unicode keywords.
  function parse(tag) {
    const keywords = create(null);
    if (apply(indexOf, tag, ["-"]) < 0) return { base: tag, keywords };
    const subtags = apply(split, tag, ["-"]);
    let base = subtags[0];
    let i = 1;
    for (; i < subtags.length && subtags[i].length > 1; i++) base += "-" + subtags[i];
    let singleton = "";
    let key = "";
    for (; i < subtags.length; i++) {
      const subtag = subtags[i];
      if (subtag.length === 1) {
        singleton = subtag;
        key = "";
        if (singleton === "x") break;
      } else if (singleton === "u") {
        if (subtag.length === 2) keywords[(key = subtag)] = "";
        else if (key !== "") keywords[key] += (keywords[key] === "" ? "" : "-") + subtag;
      }
    }
    return { base, keywords };
  }
  intl.parse = parse;

  // ResolveLocale: the first requested locale whose language is known, with the keywords that a service cares for.
  // `keys` are those; `chosen` what options said of them, which wins; `isValid(key, value)` tells what there is.
  intl.resolve = function resolve(tags, keys, chosen, isValid) {
    let base = DEFAULT_LOCALE;
    let keywords = create(null);
    for (let i = 0; i < tags.length; i++) {
      if (!lookUp(tags[i]).isKnown) continue;
      ({ base, keywords } = parse(tags[i]));
      break;
    }
    const resolved = { locale: base };
    let extension = "";
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i];
      let value;
      if (key in keywords) {
        const asked = keywords[key] === "" ? "true" : keywords[key];
        if (isValid(key, asked)) {
          value = asked;
          const option = chosen[key];
          if (option === undefined || option === asked || !isValid(key, option))
            extension += asked === "true" ? `-${key}` : `-${key}-${asked}`;
        }
      }
      if (chosen[key] !== undefined && isValid(key, chosen[key])) value = chosen[key];
      resolved[key] = value;
    }
    resolved.tag = extension === "" ? base : `${base}-u${extension}`;
    return resolved;
  };

  // ---- options ----

  intl.coerce = (options) => {
    if (options === undefined) return create(null);
    if (options === null) throw new TypeError("Cannot convert null to options");
    return toObject(options);
  };
  intl.objectOnly = (options) => {
    if (options === undefined) return create(null);
    if (typeof options !== "object" && typeof options !== "function" || options === null)
      throw new TypeError("the options must be an object");
    return options;
  };

  // GetOption for strings: one of `values`, or any when there are none.
  intl.option = function option(options, name, values, fallback) {
    let value = options[name];
    if (value === undefined) return fallback;
    value = toText(value);
    if (values === undefined) return value;
    for (let i = 0; i < values.length; i++) if (values[i] === value) return value;
    throw new RangeError(`Value ${value} out of range for Intl options property ${name}: accepted are ${intl.list(values)}`);
  };
  intl.flag = function flag(options, name, fallback) {
    const value = options[name];
    return value === undefined ? fallback : !!value;
  };
  intl.number = function number(value, name, least, most, fallback) {
    if (value === undefined) return fallback;
    value = toNumber(value);
    if (!(value >= least && value <= most)) throw new RangeError(`${name} value is out of range: it must be from ${least} to ${most}`);
    return floor(value);
  };
  intl.list = (values) => {
    let all = "";
    for (let i = 0; i < values.length; i++) all += (i ? ", " : "") + values[i];
    return all;
  };
  const MATCHERS = ["lookup", "best fit"];
  intl.readMatcher = (options) => intl.option(options, "localeMatcher", MATCHERS, "best fit");

  // A value of a keyword, like those of `nu` and `ca`.
  const TYPE = /^[a-z0-9]{3,8}(-[a-z0-9]{3,8})*$/i;
  intl.typeOption = function typeOption(options, name) {
    const value = intl.option(options, name);
    if (value !== undefined && !apply(test, TYPE, [value])) throw new RangeError(`Invalid ${name}: ${value}`);
    return value?.toLowerCase();
  };

  const SYSTEMS = new Set(
    ("adlm ahom arab arabext bali beng bhks brah cakm cham deva diak fullwide gara gong gonm gujr gukh guru hanidec hmng hmnp java " +
      "kali kawi khmr knda krai lana lanatham laoo latn lepc limb mathbold mathdbl mathmono mathsanb mathsans modi mong mroo mtei " +
      "mymr mymrepka mymrpao mymrshan mymrtlng nagm newa nkoo olck onao orya osma outlined rohg saur segment shrd sind sinh sora " +
      "sund sunu takr talu tamldec telu thai tibt tirh tnsa tols vaii wara wcho").split(" "),
  );
  const { has } = Set.prototype;
  intl.numberingSystems = () => [...SYSTEMS];
  intl.isNumberingSystem = (name) => apply(has, SYSTEMS, [name]);

  // ---- services ----

  // Gives objects a private place that nothing outside this file can read.
  const Stamp = class extends function (object) { return object; } {
    #slots;
    constructor(object, slots) {
      super(object);
      this.#slots = slots;
    }
    static of(object) {
      return typeof object === "object" && object !== null && #slots in object ? object.#slots : undefined;
    }
  };
  intl.stamp = (object, slots) => new Stamp(object, slots);
  intl.slots = (object, kind) => {
    const slots = Stamp.of(object);
    return slots !== undefined && slots.kind === kind ? slots : undefined;
  };

  // Copies methods and getters to where they are not enumerable.
  intl.addMembers = function addMembers(target, members) {
    const described = getOwnPropertyDescriptors(members);
    const names = ownKeys(described);
    for (let i = 0; i < names.length; i++) {
      const descriptor = described[names[i]];
      descriptor.enumerable = false;
      defineProperty(target, names[i], descriptor);
    }
  };

  // Makes the constructor of a service. `resolve(locales, options)` gives the slots; `members(slotsOf)` the methods of
  // the prototype, for which `slotsOf(this, name)` finds them.
  intl.service = function service(name, { callable = false, length = 0 }, resolve, members) {
    const Service = function () {
      const target = new.target;
      if (target === undefined && !callable) throw new TypeError(`Constructor Intl.${name} requires 'new'`);
      const made = construct(toObject, [], target === undefined ? Service : target);
      const slots = resolve(arguments[0], arguments[1]);
      slots.kind = name;
      return new Stamp(made, slots);
    };
    defineProperty(Service, "name", { value: name, configurable: true });
    defineProperty(Service, "length", { value: length, configurable: true });
    defineProperty(Service, "prototype", { writable: false });
    const slotsOf = (object, method) => {
      const slots = intl.slots(object, name);
      if (slots === undefined) throw new TypeError(`Method Intl.${name}.prototype.${method} called on an incompatible receiver`);
      return slots;
    };
    intl.addMembers(Service.prototype, members(slotsOf));
    defineProperty(Service.prototype, Symbol.toStringTag, { value: `Intl.${name}`, configurable: true });
    if (name !== "Locale")
      intl.addMembers(Service, {
        supportedLocalesOf(locales) {
          const tags = tagsOf(locales);
          const options = arguments[1];
          if (options !== undefined) intl.readMatcher(intl.coerce(options));
          const known = [];
          for (let i = 0; i < tags.length; i++) if (lookUp(tags[i]).isKnown) known[known.length] = tags[i];
          return known;
        },
      });
    return Service;
  };

  // What `resolvedOptions()` returns: a fresh object without what is undefined.
  intl.shown = function shown(options) {
    const all = {};
    for (const name in options) if (options[name] !== undefined) all[name] = options[name];
    return all;
  };

  // The services, made when first used.
  const makers = (intl.makers = create(null));
  const made = create(null);
  intl.constructorOf = (name) => made[name] ?? (made[name] = makers[name]());
});
