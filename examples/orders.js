// Who buys most, and what is short in stock? Joins three lists of the example order book into two tables.
// From a clone: `./x run run examples/orders.js`. The server is started by `mcp.json` beside this file.

// Three lists at the same time; orders come in pages, so theirs takes several calls.
const [{ customers }, { products }, orders] = await Promise.all([
  tools.orders__list_customers(),
  tools.orders__list_products(),
  allOrders(),
]);

async function allOrders() {
  const orders = [];
  let cursor;
  do {
    const page = await tools.orders__list_orders({ limit: 25, cursor });
    orders.push(...page.orders);
    cursor = page.next_cursor;
  } while (cursor);
  return orders;
}

const sum = (list, of) => list.reduce((total, entry) => total + of(entry), 0);
const most = (list, of) => list.toSorted((a, b) => of(b) - of(a));
const euros = (cents) => (cents / 100).toFixed(2);

// The five best customers, each with its largest order, fetched whole: five calls at once.
const sales = orders.filter(({ status }) => status !== "cancelled" && status !== "returned");
const ranked = customers.map((customer) => {
  const own = sales.filter((order) => order.customer_id === customer.id);
  return { ...customer, own, revenue: sum(own, (order) => order.total_cents) };
});
const best = most(ranked, (customer) => customer.revenue).slice(0, 5);
const largest = await Promise.all(
  best.map(({ own }) => tools.orders__get_order({ id: most(own, (order) => order.total_cents)[0].id })),
);

text(`${customers.length} customers, ${orders.length} orders, ${euros(sum(sales, (o) => o.total_cents))} EUR`);
table(["best customers", "city", "orders", "EUR", "largest order"], best.map((customer, i) => {
  const { id, date, lines } = largest[i];
  const [line] = most(lines, (line) => line.quantity * line.unit_price_cents);
  const product = products.find((product) => product.id === line.product_id);
  return [customer.name, customer.city, customer.own.length, euros(customer.revenue),
    `${id} of ${date}: ${line.quantity} × ${product.name}`];
}));

// What was ordered and has not left yet, against what lies in stock.
const waiting = orders.filter(({ status }) => status === "pending" || status === "paid").flatMap(({ lines }) => lines);
const needs = products.map(({ id, name, stock }) => {
  const open = sum(waiting.filter((line) => line.product_id === id), (line) => line.quantity);
  return [name, open, stock, stock - open];
});
table(["to be shipped", "open", "in stock", "left"], most(needs, ([, , , left]) => -left).slice(0, 5));

function table(head, rows) {
  const width = head.map((title, i) => Math.max(...[title, ...rows.map((row) => row[i])].map((cell) => `${cell}`.length)));
  const isNumber = head.map((_, i) => rows.every((row) => !Number.isNaN(Number(row[i]))));
  const line = (row) => row.map((cell, i) => (isNumber[i] ? `${cell}`.padStart(width[i]) : cell.padEnd(width[i]))).join("  ");
  text("\n" + [head, width.map((n) => "─".repeat(n)), ...rows].map((row) => line(row).trimEnd()).join("\n"));
}
