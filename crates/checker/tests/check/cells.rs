//! What is found wrong with a cell, and what is not.

use carrel_checker::Options;

use crate::common::{accept, check, checker};

#[tokio::test]
async fn wrong_uses_of_tools_are_found() {
    let checker = checker(Options::default());
    let source = "\
const order = await tools.orders__get_order({ id: 5 });
await tools.orders__get_ordre({ id: \"a\" });
await tools.orders__get_order({});
text(order.totl);
await tools.orders__list_orders({ status: \"late\" });
await tools.orders__get_order({ id: \"a\", extra: 1 });
const n: string = order.total;
tools.notes__search();
";
    let found = check(&checker, source).await;
    let starts = [
        "1:47 TS2322 Type 'number' is not assignable to type 'string'.",
        "2:13 TS2551 Property 'orders__get_ordre' does not exist on type 'Tools'. Did you mean 'orders__get_order'?",
        "3:31 TS2741 Property 'id' is missing in type '{}' but required in type '{ id: string; }'.",
        "4:12 TS2551 Property 'totl' does not exist on type",
        "5:35 TS2322 Type '\"late\"' is not assignable to type '\"open\" | \"paid\" | undefined'.",
        "6:42 TS2353 Object literal may only specify known properties, and 'extra' does not exist",
        "7:7 TS2322 Type 'number' is not assignable to type 'string'.",
        "8:7 TS2554 Expected 1 arguments, but got 0.",
    ];
    assert_eq!(found.len(), starts.len(), "{found:#?}");
    for (found, start) in found.iter().zip(starts) {
        assert!(found.starts_with(start), "{found}\n{start}");
    }
    assert!(found[3].ends_with("Did you mean 'total'?"), "{}", found[3]);
}

#[tokio::test]
async fn wrong_uses_are_found_in_plain_javascript_too() {
    let checker = checker(Options::default());
    let source =
        "const order = await tools.orders__get_order({ id: 5 });\ntext(order.totl);\ntools.nope({});";
    let found = check(&checker, source).await;
    let codes: Vec<_> =
        found.iter().map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(codes, ["1:47 TS2322", "2:12 TS2551", "3:7 TS2339"], "{found:#?}");
}

#[tokio::test]
async fn correct_typescript_is_accepted() {
    let checker = checker(Options::default());
    let source = r#"
interface Row { id: string; total: number }
enum Size { Small, Large }
const rows: Row[] = await tools.orders__list_orders({ status: "open", limit: 10 });
const byId = new Map<string, Row>(rows.map((row) => [row.id, row]));
function largest(rows: readonly Row[]): Row | undefined {
  return [...rows].sort((a, b) => b.total - a.total)[0];
}
const found = largest(rows);
if (found) text(`${found.id}: ${found.total.toFixed(2)}`);
try { await tools.orders__get_order({ id: "x" }); } catch (error) {
  if (error instanceof ToolError) text(error.code, ); else console.error(error.message);
}
const grouped = Object.groupBy(rows, (row) => row.total > 100 ? Size.Large : Size.Small);
const list = [];
for (const [key, value] of Object.entries(grouped)) list.push({ key, n: value?.length });
store("rows", list satisfies unknown[]);
const hits = await tools.notes__search({ query: "a" });
text(hits.anything.at.all);
export default { n: list.length, size: Size[0] };
"#;
    accept(&checker, source).await;
}

#[tokio::test]
async fn plain_javascript_is_accepted() {
    let checker = checker(Options::default());
    let source = r#"
const rows = await tools.orders__list_orders();
const o = {}; o.first = rows[0]; text(o.first);
const list = []; list.push(1); list.push("x");
let last = null; last = 5; last = rows[0];
function add(a, { b }, c) { return a + b + (c ?? 0) } add(1, { b: 2 });
const by = {}; for (const row of rows) (by[row.id] ??= []).push(row);
const empty = []; for (const x of empty) x.anything;
try { throw new Error("x") } catch (error) { text(error.message) }
const parsed = JSON.parse("{}"); parsed.x.y;
class Counter { constructor() { this.n = 1 } get() { return this.n } } new Counter().n;
const sums = rows.reduce((sums, row) => { sums[row.id] = row.total; return sums }, {});
const ids = rows.reduce((ids, row) => { ids.push(row.id); return ids }, []);
const age = new Date() - new Date(0);
text(rows.find((row) => row.total > 3).id); text(age);
const all = await Promise.all(["a", "b"].map(async (id) => (await tools.orders__get_order({ id })).total));
globalThis.seen = all; text(seen.length);
setTimeout(() => text("later"), 10);
const url = new URL("https://example.com/?a=1"); text(url.searchParams.get("a"));
exit();
"#;
    accept(&checker, source).await;
}

#[tokio::test]
async fn what_a_cell_does_not_have_is_found_without_advice_it_cannot_follow() {
    let checker = checker(Options::default());
    let found = check(&checker, "process.exit();\ndocument.title;\nawait fetch('x');\nrequire('fs');").await;
    assert_eq!(
        found,
        [
            "1:1 TS2591 Cannot find name 'process'.",
            "2:1 TS2584 Cannot find name 'document'.",
            "3:7 TS2304 Cannot find name 'fetch'.",
            "4:9 TS2591 Cannot find name 'fs'.",
        ]
    );
    // The engine refuses imports, and says what there is instead; so it does with what does not parse.
    accept(&checker, "import fs from 'fs'; const x: number = fs.readFileSync('x');").await;
    accept(&checker, "const x: number = = 'a'").await;
}

#[tokio::test]
async fn columns_are_utf_16_code_units() {
    let checker = checker(Options::default());
    assert_eq!(check(&checker, "text('é😀'.at(nope));").await, ["1:15 TS2304 Cannot find name 'nope'."]);
}
