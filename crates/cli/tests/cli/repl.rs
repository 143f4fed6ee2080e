//! `carrel repl`, with a pipe for a person, and at a terminal that `script` lends.

use std::io::{Read as _, Write as _};
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::thread;

use crate::harness::{Desk, Ran};

fn repl(desk: &Desk, args: &[&str], entries: &str) -> Ran {
    desk.run_with_stdin(&[&["repl"], args].concat(), entries.as_bytes())
}

#[test]
fn cells_see_what_those_before_them_declared() {
    let ran = repl(
        &Desk::new(),
        &[],
        "const a = 20\nfunction twice(n) {\n  return n * 2\n}\ntwice(a) + 2\n_ + 1\n",
    )
    .expect(0);
    assert_eq!(ran.stdout, "42\n43\n");
}

#[test]
fn values_are_shown_readably_and_undefined_is_not() {
    let ran =
        repl(&Desk::new(), &[], "{ a: [1, 'b'], m: new Map([[1, 2]]) }\nundefined\ntext('said')\n'a'\n")
            .expect(0);
    assert_eq!(ran.stdout, "{\"a\":[1,\"b\"],\"m\":Map(1) {1 => 2}}\nsaid\n\"a\"\n");
}

#[test]
fn a_failed_cell_leaves_the_session_and_shows_in_the_exit_code() {
    let ran = repl(&Desk::new(), &[], "let x = 1\n  null.y\nx\n").expect(1);
    assert_eq!(ran.stdout, "1\n");
    assert!(ran.stderr.contains("TypeError") && ran.stderr.contains("cell 2:1:8"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("var _"), "{}", ran.stderr);
}

#[test]
fn commands_show_tools_and_cells() {
    let desk = Desk::with_orders();
    let entries = ":tools get_order\n:describe orders__get_order\nstore('k', [1])\n:store k\n:cells\n:nope\n:help\n:quit\nnull.x\n";
    let ran = repl(&desk, &[], entries).expect(0);
    assert!(
        ran.stdout.contains("orders__get_order ") && !ran.stdout.contains("orders__list_orders "),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("declare const tools: {"), "{}", ran.stdout);
    assert!(ran.stdout.contains("[1]\n   1  store('k', [1])\n"), "{}", ran.stdout);
    assert!(ran.stdout.contains(":describe "), "{}", ran.stdout);
    assert!(ran.stderr.contains("there is no command `:nope`"), "{}", ran.stderr);
}

/// A program at a terminal, which is typed to.
struct Typed {
    child: Child,
    seen: String,
    more: mpsc::Receiver<Vec<u8>>,
}

impl Typed {
    fn start(desk: &Desk) -> Self {
        let mut child =
            desk.at_a_terminal("repl").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let (sender, more) = mpsc::channel();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(read @ 1..) = stdout.read(&mut buffer) {
                if sender.send(buffer.iter().take(read).copied().collect()).is_err() {
                    return;
                }
            }
        });
        Self { child, seen: String::new(), more }
    }

    fn type_in(&mut self, text: &str) {
        let stdin = self.child.stdin.as_mut().unwrap();
        stdin.write_all(text.as_bytes()).unwrap();
        stdin.flush().unwrap();
    }

    /// Waits until the terminal was sent `wanted`, after what was waited for before.
    fn wait_for(&mut self, wanted: &str) {
        loop {
            if let Some(at) = self.seen.find(wanted) {
                self.seen.drain(..at + wanted.len());
                return;
            }
            let bytes = self.more.recv();
            assert!(bytes.is_ok(), "no {wanted:?} in {:?}", self.seen);
            let bytes = bytes.unwrap();
            let text = String::from_utf8_lossy(&bytes).into_owned();
            // The line editor asks a terminal where its cursor is.
            for _ in text.matches("\x1b[6n") {
                self.type_in("\x1b[1;1R");
            }
            self.seen.push_str(&text);
        }
    }

    /// Waits until the next entry can be typed. The line editor asks where the cursor is before each, and before none of
    /// the times that it draws it again.
    fn prompted(&mut self) {
        self.wait_for("\x1b[6n");
        self.wait_for("> ");
    }

    fn leave(mut self) -> i32 {
        self.type_in("\x04");
        while self.more.recv().is_ok() {}
        self.child.wait().unwrap().code().unwrap()
    }
}

#[test]
fn at_a_terminal_lines_are_edited_completed_and_kept() {
    let desk = Desk::with_orders();
    let mut typed = Typed::start(&desk);
    typed.prompted();
    typed.type_in("const list = [\r");
    typed.wait_for("… ");
    typed.type_in("1, 2]\r");
    typed.prompted();
    typed.type_in("lis\t\r");
    typed.wait_for("[1,2]");
    typed.prompted();
    typed.type_in("tools.orders__get_or\t");
    typed.wait_for("orders__get_order");
    // Ctrl-C takes a line back, Ctrl-D leaves.
    typed.type_in("\x03");
    typed.prompted();
    assert_eq!(typed.leave(), 0);
    let history = std::fs::read_to_string(desk.path().join("data/history.txt")).unwrap();
    assert!(history.contains("const list = ["), "{history}");
}

#[test]
fn at_a_terminal_ctrl_c_ends_the_cell_and_not_the_session() {
    let desk = Desk::new();
    let mut typed = Typed::start(&desk);
    typed.prompted();
    for _ in 0..2 {
        typed.type_in("text('be' + 'gun'); for (;;);\r");
        typed.wait_for("begun");
        typed.type_in("\x03");
        typed.wait_for("terminated");
        typed.prompted();
    }
    typed.type_in("40 + 2\r");
    typed.wait_for("42");
    typed.prompted();
    assert_eq!(typed.leave(), 0);
}
