//! Cells in TypeScript: types are blanked, and places stay where they were written.

use super::harness::{Harness, run, text_of};
use crate::{CellErrorKind, Location, SessionMode};

const TYPED: &str = "interface Row<T> { name: string; value?: T }
type Rows = Row<number>[]
enum Colour { Red = 1, Green }
class Account { constructor(private readonly owner: string, public balance: number = 0) {} who(): string { return this.owner } }
function total<T extends Row<number>>(rows: readonly T[]): number {
  return rows.reduce((sum: number, row): number => sum + (row.value ?? 0)!, 0) as number
}
const rows = [{ name: 'a', value: 2 }, { name: 'b', value: Colour.Green }] satisfies Rows;
text(total<Row<number>>(rows) + ' ' + Colour[2] + ' ' + new Account('ada').who())";

/// Types, enums and parameter properties, in one cell.
pub async fn s2_typescript_is_accepted(harness: Harness) {
    let session = harness.session().await;
    assert_eq!(text_of(&session, TYPED).await, "4 Green ada");
    let echoed = text_of(&session, "const x: number = (await tools.echo(7)) as number; text(x!)").await;
    assert_eq!(echoed, "7");
}

/// What is valid JavaScript is never read as anything else.
pub async fn s2_javascript_runs_as_it_was_written(harness: Harness) {
    let session = harness.session().await;
    let source = "const a = 1, b = 2, c = 3; function f(x) { return x }
text([f(a < b, b > (c)), a < b > (c), f.toString()].join(' '))";
    assert_eq!(text_of(&session, source).await, "true false function f(x) { return x }");
}

/// Lines and columns are those of what was written, with and without persistent variables.
pub async fn s2_places_in_typescript_are_those_of_the_source(harness: Harness) {
    for mode in [SessionMode::Fresh, SessionMode::Persistent] {
        let session = harness.session_with(|spec| spec.mode = mode).await;
        let source = "type A = {\n  é: '😀'\n}\nfunction fail(x: Map<string, '😀'>, y?: A): never { throw new TypeError('here') }\nconst n: number = 1; fail(new Map<string, any>() as any)";
        let error = run(&session, source).await.error.expect("it throws");
        assert_eq!(error.location, Some(Location { line: 4, column: 59 }), "{}", error.stack);
        assert!(error.stack.contains("cell.js:5:22"), "{}", error.stack);
    }
}

/// What a cell of TypeScript declared, later cells see, in either language.
pub async fn persistent_typescript_and_javascript_share_their_variables(harness: Harness) {
    let session = harness.session_with(|spec| spec.mode = SessionMode::Persistent).await;
    text_of(
        &session,
        "enum Colour { Red } const count: number = 1; function twice<T>(x: T): T[] { return [x, x] }",
    )
    .await;
    assert_eq!(text_of(&session, "text(twice(count)); text(Colour.Red)").await, "[1,1]\n0");
    assert_eq!(
        text_of(&session, "enum Colour { Blue, Red } text(twice<number>(Colour.Red) as any)").await,
        "[1,1]"
    );
    assert_eq!(text_of(&session, "text(Object.keys(Colour).length)").await, "4");
}

/// A source that is neither language, or has what a cell cannot have, is the cell's error, with the line that shows it.
pub async fn s10_what_is_wrong_in_a_source_is_shown(harness: Harness) {
    let session = harness.session().await;
    for (source, place, line, said) in [
        ("const a: number = 1;\nlet b: = 2", (2, 8), "let b: = 2", ""),
        ("text(1);\n  let let = 2", (2, 7), "  let let = 2", ""),
        ("namespace N { export const x = 1 }", (1, 1), "namespace N { export const x = 1 }", "write"),
        ("const a: number = 1;\nimport fs from 'fs'", (2, 16), "import fs from 'fs'", "\"fs\""),
        ("text(1); import 'a'", (1, 17), "text(1); import 'a'", "\"a\""),
    ] {
        let completed = run(&session, source).await;
        assert!(completed.observation.items.is_empty(), "nothing ran: {source}");
        let error = completed.error.expect("it is refused");
        let (line_number, column) = place;
        assert_eq!(
            error.location,
            Some(Location { line: line_number, column }),
            "{source}: {}",
            error.message
        );
        let caret = format!("{}^", " ".repeat(column as usize - 1));
        assert_eq!(error.excerpt, Some(format!("{line}\n{caret}")), "{source}");
        assert!(error.message.contains(said), "{source}: {}", error.message);
    }
    let deep = "(".repeat(200_000);
    let error = run(&session, &deep).await.error.expect("it does not parse");
    assert!(matches!(error.kind, CellErrorKind::Syntax | CellErrorKind::Thrown), "{error:?}");
    let elided = text_of(
        &session,
        "import type { A } from 'a'; import { type B } from 'b'; export type { A }; text('runs')",
    )
    .await;
    assert_eq!(elided, "runs");
}
