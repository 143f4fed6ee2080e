text([crypto.randomUUID(), crypto.randomUUID()]);
text([...crypto.getRandomValues(new Uint8Array(8))]);
const words = new Uint32Array(2);
text(crypto.getRandomValues(words) === words && words[0] !== words[1]);
text(crypto.getRandomValues(new BigUint64Array(1))[0] > 0n);
for (const wrong of [new Float32Array(1), [1], new Uint8Array(65537)])
  try { crypto.getRandomValues(wrong); } catch (error) { text(`${error.name} ${error.message}`); }
