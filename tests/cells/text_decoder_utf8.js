const bytes = (...list) => new Uint8Array(list);
const decoder = new TextDecoder();
text([decoder.encoding, decoder.fatal, decoder.ignoreBOM]);
text(decoder.decode(bytes(0xef, 0xbb, 0xbf, 0x61, 0xe2, 0x82, 0xac)));
text(new TextDecoder("utf8", { ignoreBOM: true }).decode(bytes(0xef, 0xbb, 0xbf, 0x61)).length);
// Each longest wrong beginning is one U+FFFD.
text(decoder.decode(bytes(0x61, 0xf0, 0x9f, 0x62, 0xff, 0xc0, 0x80, 0xed, 0xa0, 0x80, 0xe2, 0x82)));
text(decoder.decode(new DataView(bytes(0, 104, 105, 0).buffer, 1, 2)));
text(decoder.decode(new Uint16Array([0x6968])));
