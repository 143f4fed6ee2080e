// A detached typed array has no elements to write.
const bytes = new Uint8Array([1000, 2]);
text(bytes.toLocaleString());
structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
for (const method of ["toLocaleString", "toString", "join"])
  try {
    text(bytes[method]());
  } catch (error) {
    text(`${method}: ${error.name}: ${error.message}`);
  }
try {
  Object.getPrototypeOf(Int8Array.prototype).toLocaleString.call([1]);
} catch (error) {
  text(`${error.name}: ${error.message}`);
}
