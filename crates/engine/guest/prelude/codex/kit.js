// The dialect of Codex: what the files of this folder share.
//
// Each says here what it gives a cell in that dialect. Nothing of it is done before a cell begins that speaks it, so to
// others it costs nothing.
(function (host, kit) {
  "use strict";

  const { defineProperty } = Object;

  // Functions for C, in place of the prelude's own, and what the files have for each other.
  const codex = {};
  kit.codex = codex;

  const changes = [];
  // Has something done when a VM begins to speak the dialect.
  codex.whenSpoken = function whenSpoken(change) {
    changes[changes.length] = change;
  };
  codex.begin = function begin() {
    for (let i = 0; i < changes.length; i++) changes[i]();
  };

  // Makes a global, as visible as Codex has its own.
  function become(name, value) {
    defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: true });
  }

  codex.give = function give(name, value) {
    codex.whenSpoken(() => become(name, value));
  };

  // Makes a global now, whose value is made at its first use.
  codex.becomeLazily = function becomeLazily(name, make) {
    defineProperty(globalThis, name, {
      get() {
        const value = make();
        become(name, value);
        return value;
      },
      set(other) {
        become(name, other);
      },
      configurable: true,
      enumerable: true,
    });
  };
});
