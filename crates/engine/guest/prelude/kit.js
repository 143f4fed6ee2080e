// What the files of the prelude share.
// 
// Each file is evaluated once, when the image is built, in the order of build/prelude.rs. `host` is what bridge.c
// offers, and must never be within reach of a cell. What a file needs of the built-ins it takes before any cell runs, so that a cell
// which replaces them harms only itself.
(function (host, kit) {
  "use strict";

  const { defineProperty } = Object;

  kit.apply = Reflect.apply;

  // The numbers of host.h.
  kit.effects = { TEXT: 2, IMAGE: 3, AUDIO: 4, BLOCK: 5, NOTIFY: 6, SET_TIMER: 8, CLEAR_TIMER: 9, YIELD: 10, IMAGE_URL: 15, AUDIO_URL: 16 };

  // The numbers of src/compute/mod.rs.
  kit.questions = { PARSE_URL: 1, CHANGE_URL: 2, NAME_ENCODING: 3, DECODE: 4, INTL: 5 };

  // Gives an object a property that is writable and hidden, whatever a cell has given all objects.
  kit.hide = function hide(object, name, value) {
    defineProperty(object, name, { __proto__: null, value, writable: true, configurable: true, enumerable: false });
  };

  // Makes a global, as writable and as hidden as the language's own.
  kit.define = function define(name, value) {
    kit.hide(globalThis, name, value);
  };

  // Makes a global that costs nothing before its first use: `make` returns its value then.
  kit.defineLazily = function defineLazily(name, make) {
    let value;
    let isMade = false;
    defineProperty(globalThis, name, {
      get() {
        if (!isMade) {
          value = make();
          isMade = true;
          kit.define(name, value);
        }
        return value;
      },
      set(other) {
        kit.define(name, other);
      },
      configurable: true,
      enumerable: false,
    });
  };

  // What is to be forgotten when a further cell begins in the same VM.
  const forgetful = [];
  kit.whenCellEnds = function whenCellEnds(forget) {
    forgetful[forgetful.length] = forget;
  };
  kit.forgetCell = function forgetCell() {
    for (let i = 0; i < forgetful.length; i++) forgetful[i]();
  };

  // No shared memory and no threads in a cell.
  delete globalThis.SharedArrayBuffer;
  delete globalThis.Atomics;
});
