const decoded = (label, ...bytes) => { const decoder = new TextDecoder(label); return `${decoder.encoding} ${decoder.decode(new Uint8Array(bytes))}`; };
text(decoded("latin1", 0x80, 0xe9));
text(decoded("ascii", 0x41));
text(decoded("utf-16be", 0x20, 0xac));
text(decoded("shift_jis", 0x93, 0xfa, 0x96, 0x7b));
text(decoded("gbk", 0xc4, 0xe3));
text(decoded(" KOI8-R ", 0xc1));
const parts = new TextDecoder("big5");
text([parts.decode(new Uint8Array([0xa7]), { stream: true }), parts.decode(new Uint8Array([0xda]))]);
for (const wrong of [() => new TextDecoder("utf-7"), () => new TextDecoder().decode("text"), () => new TextDecoder("utf-8", 1)])
  try { wrong(); } catch (error) { text(String(error)); }
