// The global `Intl`: its services are made when they are first used.
(function (host, kit) {
  "use strict";

  const { intl } = kit;
  const { defineProperty } = Object;

  kit.defineLazily("Intl", () => {
    const Intl = {};
    defineProperty(Intl, Symbol.toStringTag, { value: "Intl", configurable: true });
    for (const name in intl.makers) {
      const define = (value) => defineProperty(Intl, name, { value, writable: true, configurable: true, enumerable: false });
      defineProperty(Intl, name, {
        get() {
          const made = intl.constructorOf(name);
          define(made);
          return made;
        },
        set: define,
        configurable: true,
        enumerable: false,
      });
    }
    intl.addMembers(Intl, {
      getCanonicalLocales(locales) {
        return intl.tagsOf(locales);
      },
    });
    return Intl;
  });
});
