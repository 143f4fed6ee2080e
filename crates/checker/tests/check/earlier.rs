//! What a cell of a persistent session sees of earlier ones.

use carrel_checker::Options;
use carrel_contract::{CellChecker, CheckRequest, EarlierCell};

use crate::common::{check_after, checker, tools};

#[tokio::test]
async fn declarations_of_earlier_cells_are_seen_with_their_types() {
    let checker = checker(Options::default());
    let earlier = [
        "interface Row { id: string } let count = 1; const rows = await tools.orders__list_orders({});",
        "class Shape<T> { constructor(readonly side: T) {} }\nfunction first<T>(list: T[]): T | undefined { return list[0] }",
        "enum Size { Small, Large }\ntype Pair<A> = [A, A]; const { id } = rows[0]!; var [a, ...b] = [1, 2];",
    ];
    let fits = "\
count += 1; count = 5;
const row: Row = { id };
class Square extends Shape<number> { area() { return this.side ** 2 } }
const pair: Pair<Size> = [Size.Small, Size.Large];
text([first(rows)?.total.toFixed(1), new Square(2).area(), a + b[0]!, row, pair]);
";
    assert_eq!(check_after(&checker, &earlier, fits).await, Vec::<String>::new());
    let found = check_after(
        &checker,
        &earlier,
        "const row: Row = { id: 1 };\ntext([rows[0].totl, id.nope, first(rows).id]);",
    )
    .await;
    let codes: Vec<_> =
        found.iter().map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(codes, ["1:20 TS2322", "2:15 TS2551", "2:24 TS2339", "2:30 TS2532"], "{found:#?}");
}

#[tokio::test]
async fn what_is_declared_again_has_its_newest_type_and_leaves_older_uses_alone() {
    let checker = checker(Options::default());
    let earlier = ["const x = 1;", "const y = x;", "const x = 'now a string';"];
    let found =
        check_after(&checker, &earlier, "const n: number = y; const s: string = x; const x2: number = x;")
            .await;
    assert_eq!(found, ["1:49 TS2322 Type 'string' is not assignable to type 'number'."]);
    assert_eq!(
        check_after(&checker, &earlier, "const x: boolean = true; text(x);").await,
        Vec::<String>::new()
    );
}

#[tokio::test]
async fn javascript_and_typescript_see_each_other() {
    let checker = checker(Options::default());
    let earlier =
        ["const total = 1; function twice(n) { return n * 2 }", "type Id = string; const id: Id = 'a';"];
    assert_eq!(
        check_after(&checker, &earlier, "let n: number = twice(total); const i: Id = id;").await,
        Vec::<String>::new()
    );
    assert_eq!(
        check_after(&checker, &earlier, "text([id.length, twice(total)]); total = 2").await,
        Vec::<String>::new()
    );
    let found = check_after(&checker, &earlier, "id.nope").await;
    assert_eq!(found, ["1:4 TS2339 Property 'nope' does not exist on type 'string'."]);
}

#[tokio::test]
async fn variables_of_a_failed_cell_may_hold_anything() {
    let checker = checker(Options::default());
    let failed = "const v = 1; function f() { return 'a' } interface I { n: number } throw new Error('x');";
    let earlier =
        vec![EarlierCell::new("const v = 'a string';".into(), true), EarlierCell::new(failed.into(), false)];
    let source = "v.toFixed(); v.length; f().length; const i: I = { n: 1 };\nf().nope;";
    let request = CheckRequest::new(source.into(), tools()).with_earlier(earlier);
    let found = checker.check(request).await.unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].location.line, 2);
}

#[tokio::test]
async fn a_long_session_costs_what_its_newest_cell_uses() {
    let checker = checker(Options::default());
    let cells: Vec<_> = (0..400)
        .map(|n| format!("const v{n} = {};", if n == 0 { "1".to_owned() } else { format!("v{} + 1", n - 1) }))
        .collect();
    let earlier: Vec<_> = cells.iter().map(String::as_str).collect();
    assert_eq!(check_after(&checker, &earlier, "v7.toFixed(); v399.anything;").await, Vec::<String>::new());
    assert_eq!(check_after(&checker, &earlier, "v7.nope;").await.len(), 1);
}
