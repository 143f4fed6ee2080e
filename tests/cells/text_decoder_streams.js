const decoder = new TextDecoder();
const parts = [[0xef, 0xbb], [0xbf, 0xe2], [0x82], [0xac, 0xf0, 0x9f], []];
text(parts.map((part) => decoder.decode(new Uint8Array(part), { stream: true })));
text(decoder.decode());
text(decoder.decode(new Uint8Array([0x61])));
const wide = new TextDecoder("utf-16le");
text([wide.decode(new Uint8Array([0x3d, 0xd8, 0x00]), { stream: true }), wide.decode(new Uint8Array([0xde]))]);
