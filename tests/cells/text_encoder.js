const encoder = new TextEncoder();
text([encoder.encoding, [...encoder.encode("a\u00e9\u20ac\u{1f600}")], [...encoder.encode("\ud800x")], encoder.encode().length]);
const room = new Uint8Array(6);
text([encoder.encodeInto("a\u20ac\u{1f600}", room), [...room]]);
try { encoder.encodeInto("a", []); } catch (error) { text(String(error)); }
