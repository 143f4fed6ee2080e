const buffer = new ArrayBuffer(8, { maxByteLength: 16 });
const bytes = new Uint8Array(buffer, 2, 3);
bytes.set([1, 2, 3]);
const copy = structuredClone({ bytes, view: new DataView(buffer, 2), buffer });
bytes[0] = 9;
text([[...copy.bytes], copy.bytes.byteOffset, copy.view.getUint8(0), copy.view.buffer === copy.buffer, copy.buffer.maxByteLength]);
text(structuredClone([new BigInt64Array([5n]), new Float16Array([0.5])]).map((array) => `${array.constructor.name} ${array}`));
