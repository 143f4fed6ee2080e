//! Figures of making a source ready.

use std::hint::black_box;

use carrel_typescript::prepare;

use crate::table::{Table, median, milliseconds};

/// What a model writes of TypeScript, once; 35 lines of most kinds of types.
const TYPED: &str = "
interface Order<T extends string = string> { id: number; customer: { name: string; tags?: T[] }; lines: Line[]; total(): number }
type Line = { sku: `${string}-${number}`; price: number; quantity?: number } | { note: string };
function price(line: Line, discount: number = 0): number {
  if ('note' in line) return 0;
  const { price, quantity = 1 }: { price: number; quantity?: number } = line;
  return (price * quantity * (1 - discount)) as number;
}
class Book<K extends keyof Order, V = Map<string, Array<Order<'a' | 'b'>>>> {
  private readonly orders: Map<number, Order> = new Map<number, Order>();
  protected last?: Order;
  static count: number = 0;
  add(order: Order): this {
    this.orders.set(order.id, order);
    this.last = order;
    Book.count += 1;
    return this;
  }
  get<T>(id: number, map: (order: Order | undefined) => T): T | null {
    const found = this.orders.get(id);
    return found ? map(found!) : null;
  }
  async load(ids: readonly number[]): Promise<void> {
    const all = await Promise.all(ids.map(async (id: number): Promise<Order> => (await tools.order({ id })) as Order));
    for (const order of all) this.add(order satisfies Order);
  }
}
const book = new Book<'id'>();
await book.load([1, 2, 3]);
const totals = [...(book as any).orders.values()].map((order: Order) => ({
  id: order.id,
  name: `${order.customer.name} (${order.customer.tags?.join(', ') ?? 'none'})`,
  total: order.lines.reduce((sum: number, line: Line) => sum + price(line), 0),
})).filter((row): row is { id: number; name: string; total: number } => row.total > 100);
totals.sort((a, b) => b.total - a.total || a.id - b.id);
text(totals.slice(0, 10));
";

fn blocks(source: &str, bytes: usize) -> String {
    let block = format!("{{{source}}}\n");
    block.repeat(bytes / block.len())
}

pub(crate) fn measure(table: &mut Table) {
    table.row("100 KB of TypeScript blanked", "a few ms", || {
        let source = blocks(TYPED, 100_000);
        assert!(prepare(&source).is_ok_and(|prepared| prepared.was_typescript), "it is TypeScript");
        milliseconds(median(101, || drop(black_box(prepare(black_box(&source))))))
    });
    table.row("100 KB of JavaScript found to be JavaScript", "-", || {
        let source = blocks(&prepare(TYPED).expect("it is TypeScript").code, 100_000);
        assert!(prepare(&source).is_ok_and(|prepared| !prepared.was_typescript), "it is JavaScript");
        milliseconds(median(101, || drop(black_box(prepare(black_box(&source))))))
    });
    table.row("text(\"hi\") found to be JavaScript", "0.010 ms", || {
        milliseconds(
            median(101, || {
                for _ in 0..1000 {
                    drop(black_box(prepare(black_box("text(\"hi\")"))));
                }
            }) / 1000,
        )
    });
}
