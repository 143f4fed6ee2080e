// What has no such property is found by the property's place.
const order = { lines: null };
const reads = [
  () => order
    .lines.length,
  (key = "length") => order["lines"][key],
  () => order.customer?.name ?? order.customer.name,
  () => delete order.lines.first,
  () => { order.lines.first = 1; },
];
for (const read of reads) {
  try {
    read();
  } catch (error) {
    text(`${error.message} ${/cell.js:(\d+:\d+)/.exec(error.stack)[1]}`);
  }
}
