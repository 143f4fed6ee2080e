//! `carrel run --check`: with TypeScript's compiler from npm, which `./x setup` installs, and without one.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::harness::{Desk, Ran};

fn compiler() -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.x/npm/node_modules/typescript/bin/tsc");
    assert!(path.exists(), "no {}: `./x setup` installs what the tests need", path.display());
    path
}

fn check(desk: &Desk, compiler: &Path, args: &[&str]) -> Ran {
    desk.command(args).env("CARREL_TSC", compiler).stdin(Stdio::null()).output().unwrap().into()
}

#[test]
fn a_cell_with_type_errors_does_nothing_and_shows_them() {
    let desk = Desk::with_orders();
    desk.write(
        "cell.ts",
        "text('begun');\nconst list = await tools.orders__list_orders({ statsu: 'open' });\ntext(list satisfies string);\n",
    );
    for isolation in ["none", "process"] {
        let args = ["run", "--check", "--isolation", isolation, "cell.ts"];
        let ran = check(&desk, &compiler(), &args).expect(1);
        assert_eq!(ran.stdout, "");
        assert!(ran.stderr.contains("2 type errors; nothing of the cell was run"), "{}", ran.stderr);
        assert!(
            ran.stderr.contains("2:48 TS2561: ") && ran.stderr.contains("Did you mean to write 'status'?"),
            "{}",
            ran.stderr
        );
        assert!(
            ran.stderr.contains("\n    text(list satisfies string);\n              ^\n"),
            "{}",
            ran.stderr
        );
    }
}

#[test]
fn a_notebook_in_a_process_of_its_own_is_checked_with_what_earlier_cells_declared() {
    let desk = Desk::new();
    let entries = "const n: number = 1\nconst s: string = n\ntext(n)\n";
    let mut repl = desk.command(&["repl", "--check", "--no-mcp"]);
    repl.env("CARREL_TSC", compiler()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut repl = repl.spawn().unwrap();
    repl.stdin.take().unwrap().write_all(entries.as_bytes()).unwrap();
    let ran = Ran::from(repl.wait_with_output().unwrap()).expect(1);
    assert_eq!(ran.stdout, "1\n");
    ran.says(&["1:7 TS2322: Type 'number' is not assignable to type 'string'."]);
}

#[test]
fn a_sound_cell_runs() {
    let desk = Desk::with_orders();
    let cell = "const orders = await tools.orders__list_orders({ status: 'paid' }); text(typeof orders)";
    let ran = check(&desk, &compiler(), &["run", "--check", "--mcp", "mcp.json", "-e", cell]).expect(0);
    assert_eq!(ran.stdout, "object\n");
    assert!(!ran.stderr.contains("not checked"), "{}", ran.stderr);
}

#[test]
fn without_a_compiler_it_runs_unchecked_and_says_so() {
    let desk = Desk::new();
    for isolation in ["none", "process"] {
        let args = ["run", "--check", "--isolation", isolation, "-e", "text(1)"];
        let ran = check(&desk, Path::new("/nonexistent/tsc"), &args).expect(0);
        assert_eq!(ran.stdout, "1\n");
        ran.says(&["the cell was not checked before it ran: there is no type checker here: CARREL_TSC: /nonexistent/tsc"]);
    }
}

#[test]
fn the_doctor_tries_it() {
    let desk = Desk::new();
    let ran = check(&desk, &compiler(), &["doctor"]).expect(0);
    let line = ran.stdout.lines().find(|line| line.contains("type checker")).unwrap();
    assert!(
        line.starts_with("ok") && line.contains("TypeScript 7.") && line.contains("a first check in"),
        "{line}"
    );
    let ran = check(&desk, Path::new("/nonexistent/tsc"), &["doctor"]).expect(0);
    assert!(ran.stdout.contains("none, and only `--check` needs one"), "{}", ran.stdout);
}
