// `URLSearchParams`: a list of pairs, which may be the query of a `URL`.
(function (host, kit) {
  "use strict";

  const { formDecode, formEncode } = host;
  const { uncurry, usv } = kit;
  const slice = uncurry(String.prototype.slice);
  const indexOf = uncurry(String.prototype.indexOf);
  const codeAt = uncurry(String.prototype.charCodeAt);
  const sort = uncurry(Array.prototype.sort);
  const { ownKeys, getOwnPropertyDescriptor } = Reflect;
  const iteratorKey = Symbol.iterator;
  const NAME = 0;
  const VALUE = 1;

  // Names and values in turn, of a query string without its "?".
  function parsed(query) {
    const list = [];
    let at = 0;
    while (at <= query.length) {
      let end = indexOf(query, "&", at);
      if (end < 0) end = query.length;
      if (end > at) {
        const pair = slice(query, at, end);
        const equals = indexOf(pair, "=");
        list[list.length] = [
          formDecode(equals < 0 ? pair : slice(pair, 0, equals)),
          equals < 0 ? "" : formDecode(slice(pair, equals + 1)),
        ];
      }
      at = end + 1;
    }
    return list;
  }

  function written(list) {
    let query = "";
    for (let i = 0; i < list.length; i++) query += `${i ? "&" : ""}${formEncode(list[i][NAME])}=${formEncode(list[i][VALUE])}`;
    return query;
  }

  const INIT = "new URLSearchParams(init): init must be a query string, an iterable of [name, value] pairs, or an object of names and values";

  function ofPairs(pairs) {
    const list = [];
    for (const pair of pairs) {
      if ((typeof pair !== "object" && typeof pair !== "function") || pair === null || typeof pair[iteratorKey] !== "function")
        throw new TypeError(INIT);
      const both = [...pair];
      if (both.length !== 2) throw new TypeError(`${INIT}; a pair has ${both.length} items`);
      list[list.length] = [usv(both[NAME]), usv(both[VALUE])];
    }
    return list;
  }

  function ofRecord(record) {
    const list = [];
    const at = { __proto__: null };
    const keys = ownKeys(record);
    for (let i = 0; i < keys.length; i++) {
      const property = getOwnPropertyDescriptor(record, keys[i]);
      if (property === undefined || !property.enumerable) continue;
      const name = usv(keys[i]);
      const value = usv(record[keys[i]]);
      // Two keys can become one: the later value stays at the earlier place.
      if (at[name] !== undefined) list[at[name]][VALUE] = value;
      else {
        at[name] = list.length;
        list[list.length] = [name, value];
      }
    }
    return list;
  }

  // The order of code units, which is also that of `<`.
  const byName = (a, b) => (a[NAME] < b[NAME] ? -1 : a[NAME] > b[NAME] ? 1 : 0);

  const make = kit.once(() => {
    let ofUrl, reset;

    class URLSearchParams {
      #list;
      // Takes the new query of the URL that this is of.
      #changed = undefined;

      constructor(init = "") {
        if (init === ofUrl) return;
        if ((typeof init === "object" && init !== null) || typeof init === "function") {
          const iterate = init[iteratorKey];
          if (iterate === undefined || iterate === null) this.#list = ofRecord(init);
          else if (typeof iterate !== "function") throw new TypeError(INIT);
          else if (#list in init && iterate === URLSearchParams.prototype.entries) this.#list = ofPairs(init.#list);
          else this.#list = ofPairs(init);
        } else {
          const query = usv(init);
          this.#list = parsed(codeAt(query, 0) === 63 ? slice(query, 1) : query);
        }
      }

      #update() {
        if (this.#changed !== undefined) this.#changed(written(this.#list));
      }

      get size() {
        return this.#list.length;
      }

      append(name, value) {
        const list = this.#list;
        kit.need("URLSearchParams.append(name, value)", arguments.length, 2);
        const pair = [usv(name), usv(value)];
        list[list.length] = pair;
        this.#update();
      }

      delete(name, value = undefined) {
        const list = this.#list;
        kit.need("URLSearchParams.delete(name)", arguments.length, 1);
        const gone = usv(name);
        const only = value === undefined ? undefined : usv(value);
        let kept = 0;
        for (let i = 0; i < list.length; i++)
          if (list[i][NAME] !== gone || (only !== undefined && list[i][VALUE] !== only)) list[kept++] = list[i];
        list.length = kept;
        this.#update();
      }

      get(name) {
        const list = this.#list;
        kit.need("URLSearchParams.get(name)", arguments.length, 1);
        const wanted = usv(name);
        for (let i = 0; i < list.length; i++) if (list[i][NAME] === wanted) return list[i][VALUE];
        return null;
      }

      getAll(name) {
        const list = this.#list;
        kit.need("URLSearchParams.getAll(name)", arguments.length, 1);
        const wanted = usv(name);
        const values = [];
        for (let i = 0; i < list.length; i++) if (list[i][NAME] === wanted) values[values.length] = list[i][VALUE];
        return values;
      }

      has(name, value = undefined) {
        const list = this.#list;
        kit.need("URLSearchParams.has(name)", arguments.length, 1);
        const wanted = usv(name);
        const only = value === undefined ? undefined : usv(value);
        for (let i = 0; i < list.length; i++)
          if (list[i][NAME] === wanted && (only === undefined || list[i][VALUE] === only)) return true;
        return false;
      }

      set(name, value) {
        const list = this.#list;
        kit.need("URLSearchParams.set(name, value)", arguments.length, 2);
        const wanted = usv(name);
        const pair = [wanted, usv(value)];
        let isSet = false;
        let kept = 0;
        for (let i = 0; i < list.length; i++) {
          if (list[i][NAME] !== wanted) list[kept++] = list[i];
          else if (!isSet) {
            isSet = true;
            list[kept++] = pair;
          }
        }
        list.length = kept;
        if (!isSet) list[kept] = pair;
        this.#update();
      }

      sort() {
        sort(this.#list, byName);
        this.#update();
      }

      forEach(callback, thisArg = undefined) {
        const list = this.#list;
        if (typeof callback !== "function") throw new TypeError("URLSearchParams.forEach(callback): callback must be a function");
        for (let i = 0; i < list.length; i++) kit.apply(callback, thisArg, [list[i][VALUE], list[i][NAME], this]);
      }

      keys() {
        return iterator(this.#list, (pair) => pair[NAME]);
      }

      values() {
        return iterator(this.#list, (pair) => pair[VALUE]);
      }

      entries() {
        return iterator(this.#list, (pair) => [pair[NAME], pair[VALUE]]);
      }

      toString() {
        return written(this.#list);
      }

      static {
        // What only `URL` passes, to make the one of its query.
        ofUrl = { __proto__: null };
        kit.searchParamsOf = (query, changed) => {
          const params = new URLSearchParams(ofUrl);
          params.#list = parsed(query);
          params.#changed = changed;
          return params;
        };
        reset = (params, query) => (params.#list = parsed(query));
        kit.isSearchParams = (value) => #list in value;
        kit.pairsOf = (value) => value.#list;
      }
    }

    kit.resetSearchParams = reset;
    kit.webClass(URLSearchParams, kit.isSearchParams);
    Object.defineProperty(URLSearchParams.prototype, iteratorKey, {
      value: URLSearchParams.prototype.entries,
      writable: true,
      configurable: true,
    });

    // The list may change while it is iterated, so each step looks at it anew.
    const iterators = Object.create(Object.getPrototypeOf(Object.getPrototypeOf([][iteratorKey]())));
    class State {
      constructor(list, pick) {
        this.list = list;
        this.pick = pick;
        this.at = 0;
      }
    }
    const states = new WeakMap();
    const stateOf = uncurry(WeakMap.prototype.get);
    const remember = uncurry(WeakMap.prototype.set);
    function iterator(list, pick) {
      const made = Object.create(iterators);
      remember(states, made, new State(list, pick));
      return made;
    }
    Object.defineProperty(iterators, "next", {
      value: function next() {
        const state = stateOf(states, this);
        if (state === undefined) throw new TypeError("next(): this is no iterator of URLSearchParams");
        if (state.at >= state.list.length) return { value: undefined, done: true };
        return { value: state.pick(state.list[state.at++]), done: false };
      },
      writable: true,
      enumerable: true,
      configurable: true,
    });
    Object.defineProperty(iterators, Symbol.toStringTag, { value: "URLSearchParams Iterator", configurable: true });
    return URLSearchParams;
  });

  kit.URLSearchParams = make;
  kit.defineLazily("URLSearchParams", make);
});
