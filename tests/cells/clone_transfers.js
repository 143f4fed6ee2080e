const buffer = new ArrayBuffer(4);
const bytes = new Uint8Array(buffer).fill(7);
const copy = structuredClone({ bytes }, { transfer: [buffer] });
text([buffer.detached, bytes.length, [...copy.bytes]]);
const refused = (transfer) => { try { structuredClone(1, { transfer }); } catch (error) { text(`${error.name} ${error.message}`); } };
refused([buffer]);
refused([{}]);
const twice = new ArrayBuffer(1);
refused([twice, twice]);
// One that cannot be cloned leaves everything where it was.
try { structuredClone([twice, () => {}], { transfer: [twice] }); } catch { text(twice.detached); }
