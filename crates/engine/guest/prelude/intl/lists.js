// `toLocaleString` of arrays and typed arrays: that of each element, with commas between.
(function (host, kit) {
  "use strict";

  const { intl, apply } = kit;
  const { floor } = Math;
  const toObject = Object;
  const toText = String;
  const toNumber = Number;
  const TypedArray = Object.getPrototypeOf(Int8Array.prototype);
  const { keys } = TypedArray;
  const lengthOf = Object.getOwnPropertyDescriptor(TypedArray, "length").get;

  // Arrays that are being written; one inside itself is empty there, as in join().
  const open = [];

  function joined(list, length, locales, options) {
    for (let i = 0; i < open.length; i++) if (open[i] === list) return "";
    const depth = open.length;
    open[depth] = list;
    try {
      let text = "";
      for (let i = 0; i < length; i++) {
        if (i > 0) text += ",";
        const item = list[i];
        if (item !== undefined && item !== null) text += toText(item.toLocaleString(locales, options));
      }
      return text;
    } finally {
      open.length = depth;
    }
  }

  intl.addMembers(Array.prototype, {
    toLocaleString() {
      const list = toObject(this === undefined || this === null ? intl.refuseNull() : this);
      return joined(list, floor(toNumber(list.length)) || 0, arguments[0], arguments[1]);
    },
  });
  intl.addMembers(TypedArray, {
    toLocaleString() {
      apply(keys, this, []); // throws unless it is a typed array that is not detached
      return joined(this, apply(lengthOf, this, []), arguments[0], arguments[1]);
    },
  });
});
