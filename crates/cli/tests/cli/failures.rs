//! Cells that fail, loop, or eat memory: each ends with a message that helps and its own exit code.

use std::io::{BufRead as _, BufReader};

use crate::harness::{Desk, Ran};

#[test]
fn a_typo_in_a_tool_name_gets_the_nearest_names() {
    let desk = Desk::with_orders();
    let listed = desk.run(&["tools"]).expect(0).stdout;
    let name = listed.split_whitespace().next().unwrap().to_owned();
    let typo = format!("{name}s");
    desk.write("cell.js", format!("const a = 1;\ntext(await tools.{typo}({{}}));\n"));
    desk.run(&["run", "cell.js"]).expect(1).says(&["TypeError", &typo, &name, "cell.js:2:"]);
}

#[test]
fn a_syntax_error_has_its_caret() {
    let desk = Desk::new();
    desk.write("cell.js", "text('before');\nconst total = 1 +;\ntext('after');\n");
    let ran =
        desk.run(&["run", "cell.js"]).expect(1).says(&["SyntaxError", "const total = 1 +;", "cell.js:2:"]);
    assert_eq!(ran.stdout, "", "nothing of it ran");
    assert!(ran.stderr.contains(['▲', '─']), "{}", ran.stderr);
}

#[test]
fn a_file_of_typescript_runs_and_its_errors_show_what_was_written() {
    let desk = Desk::new();
    desk.write("cell.ts", "interface A { b?: number }\nconst a: A = { b: 1 };\ntext(a.b! as any);\n");
    assert_eq!(desk.run(&["run", "cell.ts"]).expect(0).stdout, "1\n");
    desk.write("fails.ts", "type T = 1;\nconst a: T = 1, b = (null as any).c;\n");
    desk.run(&["run", "fails.ts"]).expect(1).says(&[
        "TypeError",
        "const a: T = 1, b = (null as any).c",
        "fails.ts:2:",
    ]);
    desk.write("value.ts", "const a: number = 1;\nnamespace N { export const b = 1 }\n");
    desk.run(&["run", "value.ts"]).expect(1).says(&[
        "namespaces that hold values",
        "const N = {",
        "value.ts:2:1",
    ]);
}

#[test]
fn a_thrown_error_shows_its_line_and_the_stack() {
    let desk = Desk::new();
    desk.write(
        "cell.js",
        "function inner() {\n  throw new RangeError('too far');\n}\nfunction outer() {\n  inner();\n}\nouter();\n",
    );
    desk.run(&["run", "cell.js"]).expect(1).says(&[
        "RangeError: too far",
        "throw new RangeError",
        "cell.js:2:",
        "at outer",
    ]);
}

#[test]
fn what_is_no_error_can_be_thrown_too() {
    let desk = Desk::new();
    desk.eval("throw 'plain text'").expect(1).says(&["plain text"]);
    desk.eval("throw null").expect(1).says(&["null"]);
    desk.eval("throw { code: 7 }").expect(1);
}

#[test]
fn output_before_a_failure_stays() {
    let ran = Desk::new()
        .eval("text('so far'); throw new Error('then')")
        .expect(1)
        .says(&["Error: then", "failed in "]);
    assert_eq!(ran.stdout, "so far\n");
}

#[test]
fn a_loop_without_end_is_ended_by_its_cpu_time() {
    let ran = Desk::new().run(&["run", "--cpu-time", "200ms", "-e", "text('in'); for (;;);"]).expect(3);
    assert_eq!(ran.stdout, "in\n");
    ran.says(&["200 ms", "--cpu-time", "terminated in "]);
}

#[test]
fn eating_memory_is_the_cells_own_error() {
    let eater = "const all = []; for (;;) all.push(new Uint8Array(1e6).fill(1));";
    Desk::new().run(&["run", "--memory", "16MiB", "-e", eater]).expect(1).says(&["16 MiB", "--memory 32MiB"]);
}

#[test]
fn a_cell_that_waits_for_ever_is_ended_by_the_timeout() {
    let ran = Desk::new()
        .run(&["run", "--timeout", "200ms", "-e", "await new Promise(done => setTimeout(done, 1e8))"])
        .expect(3);
    ran.says(&["--timeout", "200 ms"]);
}

#[test]
fn waiting_for_nothing_is_said() {
    Desk::new().eval("await new Promise(() => {})").expect(1).says(&["never called"]);
}

#[test]
fn an_unhandled_rejection_is_a_warning() {
    Desk::new().eval("Promise.reject(new Error('lost')); text(1)").expect(0).says(&["warning: ", "lost"]);
}

#[test]
fn files_that_cannot_be_a_cell() {
    let desk = Desk::new();
    desk.run(&["run", "missing.js"]).expect(2).says(&["missing.js", "No such file"]);
    desk.run(&["run", "."]).expect(2).says(&["directory"]);
    desk.write("latin.js", b"text('caf\xe9')");
    desk.run(&["run", "latin.js"]).expect(2).says(&["latin.js", "not UTF-8", "line 1, byte 10"]);
    desk.write("large.js", vec![b' '; 300 << 10]);
    desk.run(&["run", "large.js"]).expect(2).says(&["larger than the 256 KiB"]);
    desk.write("empty.js", "");
    desk.run(&["run", "empty.js"]).expect(2).says(&["failed to run empty.js: it is empty"]);
    desk.run_with_stdin(&["run", "-"], b"\xff").expect(2).says(&["stdin", "not UTF-8"]);
}

#[test]
fn arguments_that_make_no_sense() {
    let desk = Desk::new();
    desk.run(&[]).expect(2).says(&["Usage"]);
    desk.run(&["run"]).expect(2).says(&["FILE"]);
    desk.run(&["rum"]).expect(2).says(&["'run'"]);
    desk.run(&["run", "-e", "1", "--cpu-time", "30"]).expect(2).says(&["30s"]);
    desk.run(&["run", "-e", "1", "--memory", "64"]).expect(2).says(&["64MiB"]);
    for flag in ["--timeout", "--cpu-time"] {
        desk.run(&["run", "-e", "1", flag, "0s"]).expect(2).says(&[flag, "some time to run"]);
    }
    desk.run(&["run", "-e", "1", "--json", "--image-dir", "x"]).expect(2);
    let help = desk.run(&["--help"]).expect(0);
    assert!(help.stdout.contains("Exit codes:"), "{}", help.stdout);
    assert!(desk.run(&["--version"]).expect(0).stdout.starts_with("carrel "));
}

#[test]
fn the_memory_a_cell_can_have_has_two_ends() {
    let desk = Desk::new();
    for (size, shown) in [("1KiB", "1 KiB"), ("1GiB", "1 GiB"), ("2097151B", ""), ("536870913B", "")] {
        let refused = desk.run(&["run", "-e", "1", "--memory", size]).expect(2);
        refused.says(&[&format!("`--memory` is {shown}"), "accepted is 2 MiB to 512 MiB"]);
    }
    desk.run(&["run", "-e", "1", "--memory", "512MiB"]).expect(0);
    // Whether a cell can do much with the least is not the question: it is not refused.
    assert_ne!(desk.run(&["run", "-e", "1", "--memory", "2MiB"]).code, 2);
}

#[test]
fn a_reader_that_goes_away_ends_the_cell_quietly() {
    let desk = Desk::new();
    let mut child = desk.spawn(&[
        "run",
        "-e",
        "for (let i = 0; ; i++) { text(i); await new Promise(done => setTimeout(done, 1)); }",
    ]);
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "0\n");
    let ran = Ran::from(child.wait_with_output().unwrap()).expect(141);
    assert_eq!(ran.stderr, "");
}
