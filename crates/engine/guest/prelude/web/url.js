// `URL`. The host parses and changes it; here are its parts.
(function (host, kit) {
  "use strict";

  const { compute } = host;
  const { PARSE_URL, CHANGE_URL } = kit.questions;
  const { uncurry, usv } = kit;
  const split = uncurry(String.prototype.split);
  const slice = uncurry(String.prototype.slice);

  // The lines of the host's reply.
  const PARTS = ["href", "protocol", "username", "password", "host", "hostname", "port", "pathname", "search", "hash"];
  const [HREF, SEARCH, ORIGIN] = [0, 8, 10];

  const partsOf = (reply) => split(reply, "\n");

  function parse(url, base) {
    // The host takes an empty base for none; as a base it is no URL.
    if (base === "") throw new TypeError('the base "" is not a URL');
    return partsOf(compute(PARSE_URL, url, base ?? ""));
  }

  const baseOf = (base) => (base === undefined ? undefined : usv(base));

  kit.defineLazily("URL", () => {
    kit.URLSearchParams();
    const GIVEN = { __proto__: null };

    class URL {
      #parts;
      #params = undefined;

      constructor(url, base = undefined) {
        kit.need("new URL(url, base)", arguments.length, 1);
        if (url === GIVEN) {
          this.#parts = base;
          return;
        }
        const text = usv(url);
        const from = baseOf(base);
        try {
          this.#parts = parse(text, from);
        } catch (error) {
          throw invalid("new URL(url, base)", error);
        }
      }

      static canParse(url, base = undefined) {
        kit.need("URL.canParse(url, base)", arguments.length, 1);
        const text = usv(url);
        const from = baseOf(base);
        try {
          return parse(text, from) !== undefined;
        } catch {
          return false;
        }
      }

      static parse(url, base = undefined) {
        kit.need("URL.parse(url, base)", arguments.length, 1);
        const text = usv(url);
        const from = baseOf(base);
        let parts;
        try {
          parts = parse(text, from);
        } catch {
          return null;
        }
        return new URL(GIVEN, parts);
      }

      get href() {
        return this.#parts[HREF];
      }

      set href(value) {
        const text = usv(value);
        let parts;
        try {
          parts = parse(text);
        } catch (error) {
          throw invalid("URL.href", error);
        }
        this.#parts = parts;
        this.#refresh();
      }

      get origin() {
        return this.#parts[ORIGIN];
      }

      get searchParams() {
        const parts = this.#parts;
        return (this.#params ??= kit.searchParamsOf(slice(parts[SEARCH], 1), (query) => {
          this.#set(SEARCH, query);
        }));
      }

      toString() {
        return this.#parts[HREF];
      }

      toJSON() {
        return this.#parts[HREF];
      }

      #set(part, value) {
        try {
          this.#parts = partsOf(compute(CHANGE_URL, this.#parts[HREF], `${PARTS[part]}\n${value}`));
        } catch (error) {
          throw invalid(`URL.${PARTS[part]}`, error);
        }
      }

      #refresh() {
        if (this.#params !== undefined) kit.resetSearchParams(this.#params, slice(this.#parts[SEARCH], 1));
      }

      static {
        // The parts that read and change alike.
        for (let part = 1; part < PARTS.length; part++) {
          const name = PARTS[part];
          const accessors = {
            get [name]() {
              return this.#parts[part];
            },
            set [name](value) {
              this.#parts;
              this.#set(part, usv(value));
              if (part === SEARCH) this.#refresh();
            },
          };
          Object.defineProperty(URL.prototype, name, Object.getOwnPropertyDescriptor(accessors, name));
        }
        kit.isUrl = (value) => #parts in value;
        kit.hrefOf = (value) => value.#parts[HREF];
      }
    }

    function invalid(what, error) {
      const refused = new TypeError(`${what}: ${error.message}`);
      refused.code = "ERR_INVALID_URL";
      return refused;
    }

    return kit.webClass(URL, kit.isUrl);
  });
});
