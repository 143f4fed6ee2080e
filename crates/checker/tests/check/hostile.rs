//! Cells that want too much of the compiler.

use std::time::Duration;

use carrel_checker::{Checker, Options};
use carrel_contract::{CellChecker, CheckRequest, CheckerUnavailable};

use crate::common::{accept, check, checker, tools};

/// Types that take for ever.
const ENDLESS: &str = r#"
type Digit = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;
type X = `${Digit}${Digit}${Digit}`;
type D<T> = T extends string ? D<`${T}${X}`> : never;
declare const d: D<X>; d;
"#;

fn hasty() -> Options {
    let mut options = Options::default();
    options.time_limit = Duration::from_secs(1);
    options
}

async fn refused(checker: &Checker, source: &str) -> CheckerUnavailable {
    checker.check(CheckRequest::new(source.into(), tools())).await.unwrap_err()
}

#[tokio::test]
async fn types_that_take_for_ever_are_given_up() {
    let options = hasty();
    let limit = options.time_limit;
    let checker = checker(options);
    assert_eq!(refused(&checker, ENDLESS).await, CheckerUnavailable::TimedOut { limit });
    assert_eq!(checker.process().await, None, "it still runs");
    assert_eq!(check(&checker, "nope").await, ["1:1 TS2304 Cannot find name 'nope'."]);
}

#[tokio::test]
async fn memory_is_bounded() {
    let mut options = Options::default();
    options.memory_bytes = 96 << 20;
    options.time_limit = Duration::from_secs(60);
    let checker = checker(options);
    accept(&checker, "text(1)").await;
    let error = refused(&checker, ENDLESS).await;
    assert!(
        matches!(error, CheckerUnavailable::Failed { .. } | CheckerUnavailable::TimedOut { .. }),
        "{error:?}"
    );
    accept(&checker, "text(1)").await;
}

#[tokio::test]
async fn neighbours_of_an_endless_check_are_checked() {
    let checker = checker(hasty());
    let endless = refused(&checker, ENDLESS);
    let neighbour = async {
        let mut found = Vec::new();
        for n in 0..20 {
            found.extend(check(&checker, &format!("nope{n}")).await);
        }
        found
    };
    let (endless, found) = tokio::join!(endless, neighbour);
    assert!(matches!(endless, CheckerUnavailable::TimedOut { .. }), "{endless:?}");
    assert_eq!(found.len(), 20, "{found:?}");
}

#[tokio::test]
async fn a_check_that_nobody_waits_for_any_more_is_ended() {
    let checker = checker(Options::default());
    accept(&checker, "text(1)").await;
    let first = checker.process().await.unwrap().0;
    let endless = checker.check(CheckRequest::new(ENDLESS.into(), tools()));
    let cancelled = tokio::time::timeout(Duration::from_millis(100), endless).await;
    assert!(cancelled.is_err(), "it was done: {cancelled:?}");
    accept(&checker, "text(1)").await;
    assert_ne!(checker.process().await.unwrap().0, first);
}

#[tokio::test]
async fn too_many_checks_at_once_are_turned_away_in_time() {
    let mut options = hasty();
    options.concurrent = 1;
    let limit = options.time_limit;
    let checker = checker(options);
    let (first, second) = tokio::join!(refused(&checker, ENDLESS), refused(&checker, ENDLESS));
    assert_eq!(first, CheckerUnavailable::TimedOut { limit });
    assert_eq!(second, CheckerUnavailable::Busy { limit: limit / 2 });
}

#[tokio::test]
async fn the_largest_cell_is_checked_and_a_larger_one_is_not() {
    let mut options = Options::default();
    options.time_limit = Duration::from_secs(60);
    options.source_bytes = 300 << 10;
    let checker = checker(options);
    let call = "const v = await tools.orders__get_order({ id: \"a\" });\n";
    let mut large: String =
        (0..(256 << 10) / (call.len() + 4)).map(|n| call.replace('v', &format!("v{n}"))).collect();
    assert!(large.len() > 240 << 10);
    large.push_str("nope");
    let found = check(&checker, &large).await;
    assert!(found.len() == 1 && found[0].ends_with("TS2304 Cannot find name 'nope'."), "{found:?}");
    let larger = format!("{large}{large}");
    let error = refused(&checker, &larger).await;
    assert_eq!(error, CheckerUnavailable::TooLarge { bytes: larger.len(), limit: 300 << 10 });
    // Nesting that the compiler takes minutes for does not come to it.
    accept(&checker, &format!("const x = {}{}", "[".repeat(60_000), "]".repeat(60_000))).await;
}

#[tokio::test]
async fn a_cell_cannot_make_the_compiler_read_files() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret.json");
    std::fs::write(&secret, r#"{ "password": "hunter2" }"#).unwrap();
    std::fs::write(folder.path().join("secret.d.ts"), "declare const hunter2: 1;").unwrap();
    let path = folder.path().display();
    let checker = checker(Options::default());
    let source = format!(
        "/// <reference path=\"{path}/secret.d.ts\" />\n\
         import secret from \"{path}/secret.json\" with {{ type: \"json\" }};\n\
         const n: number = secret; const m: number = hunter2;"
    );
    let found = check(&checker, &source).await;
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found[0].starts_with("1:22 TS6053 ") && found[0].ends_with("not found."), "{}", found[0]);
    assert_eq!(found[1], "3:45 TS2304 Cannot find name 'hunter2'.");
}
