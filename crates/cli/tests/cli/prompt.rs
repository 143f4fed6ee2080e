//! A person at a terminal who is asked about calls. `script` lends the pseudo-terminal.

use std::io::{Read as _, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use serde_json::Value;

use crate::harness::Desk;

const POLICY: &str = "default = \"allow\"\n[[rule]]\nname = \"changes\"\ntools = \"*__update_order\"\ndecision = \"ask\"\n\
                      reason = \"it changes an order\"\nlimits = { call_seconds = 0.3 }";

const HELPERS: &str = "
    const attempt = (call) => call.then(() => 'done', (error) => error.message);
    const status = async (id) => (await tools.orders__get_order({ id })).status;
    const { orders } = await tools.orders__list_orders({ status: 'pending', limit: 3 });
    const ids = orders.map(({ id }) => id);
";

/// The program at a terminal, with somebody who reads and types.
struct Person {
    child: Child,
    keys: ChildStdin,
    screen: ChildStdout,
    seen: String,
    read: usize,
}

impl Person {
    fn watches(desk: &Desk, flags: &str, cell: &str) -> Self {
        desk.write("policy.toml", POLICY);
        desk.write("cell.js", format!("{HELPERS}{cell}"));
        let mut child = desk
            .at_a_terminal(&format!("run --policy policy.toml {flags} cell.js"))
            .env("NO_COLOR", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (keys, screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self { child, keys, screen, seen: String::new(), read: 0 }
    }

    /// Reads the screen until this is on it, after what was waited for before, and returns what came until then.
    #[track_caller]
    fn sees(&mut self, text: &str) -> String {
        loop {
            let new = self.seen.get(self.read..).unwrap_or_default();
            if let Some(place) = new.find(text) {
                let end = place + text.len();
                let until = new[..end].to_owned();
                self.read += end;
                return until;
            }
            let mut bytes = [0; 4096];
            let count = self.screen.read(&mut bytes).unwrap();
            assert!(count > 0, "no {text:?} on the screen:\n{}", self.seen);
            // A character may be cut in two: only what is ASCII is waited for.
            self.seen.push_str(&String::from_utf8_lossy(bytes.get(..count).unwrap()));
        }
    }

    /// Waits for the question and types a line.
    #[track_caller]
    fn answers(&mut self, line: &str) -> String {
        let before = self.sees("no and end the cell");
        self.sees(": ");
        self.keys.write_all(format!("{line}\n").as_bytes()).unwrap();
        before
    }

    /// Reads the screen to its end.
    fn ends(mut self, code: i32) -> String {
        let mut rest = Vec::new();
        self.screen.read_to_end(&mut rest).unwrap();
        let rest = format!("{}{}", &self.seen[self.read..], String::from_utf8_lossy(&rest));
        assert_eq!(self.child.wait().unwrap().code(), Some(code), "{rest}");
        rest
    }
}

#[test]
fn several_calls_are_listed_together_and_answered_one_by_one() {
    let desk = Desk::with_orders();
    let cell = "
        const change = { id: ids[0], status: 'paid' };
        const asked = [change, { id: ids[1], status: 'paid' }].map((input) => attempt(tools.orders__update_order(input)));
        // What is asked about is what is sent, whatever becomes of the object.
        change.status = 'cancelled';
        for (const answer of asked) text(await answer);
        text([await status(ids[0]), await status(ids[1])].join());
    ";
    let mut person = Person::watches(&desk, "", cell);
    let list = person.answers("2 n it is on its way");
    assert!(list.contains("2 calls wait for your word:"), "{list}");
    assert!(
        list.contains("1. orders__update_order({\"id\":\"o-") && list.contains("\"status\":\"paid\"})"),
        "{list}"
    );
    assert!(list.contains("server `orders`, rule `changes`: it changes an order"), "{list}");
    let list = person.answers("yse");
    assert!(list.contains("1 call waits for your word:"), "{list}");
    person.sees("not understood");
    person.answers("y");
    let rest = person.ends(0);
    assert!(rest.contains("a person was asked and refused it: it is on its way"), "{rest}");
    assert!(rest.contains("paid,pending"), "{rest}");
}

#[test]
fn one_answer_holds_for_all_calls_of_a_tool() {
    let desk = Desk::with_orders();
    let cell = "
        const pay = (id) => attempt(tools.orders__update_order({ id, status: 'paid' }));
        text(await pay(ids[0]));
        text((await Promise.all(ids.map(pay))).join());
    ";
    let mut person = Person::watches(&desk, "", cell);
    person.answers("a");
    let rest = person.ends(0);
    assert!(rest.contains("done,done,done\r\n"), "{rest:?}");
}

#[test]
fn a_persons_time_is_neither_the_cells_nor_the_calls_and_the_cell_goes_on() {
    let desk = Desk::with_orders();
    // Longer than the 300 ms that a call may take, and than the CPU time.
    let cell = "
        const asked = attempt(tools.orders__update_order({ id: ids[0], status: 'paid' }));
        setTimeout(() => text('ticked'), 700);
        text(await asked);
    ";
    let mut person = Person::watches(&desk, "--cpu-time 500ms", cell);
    person.sees("1 call waits");
    // The question is asked again below what the cell prints.
    person.sees("ticked");
    person.answers("y");
    assert!(person.ends(0).contains("done"));
}

#[test]
fn who_quits_ends_the_cell_and_nothing_is_sent() {
    let desk = Desk::with_orders();
    let cell = "text(await attempt(tools.orders__update_order({ id: ids[0], status: 'paid' })))";
    let mut person = Person::watches(&desk, "--json", cell);
    person.answers("q");
    let rest = person.ends(130);
    let (begin, end) = (rest.find("{\"status\"").unwrap(), rest.rfind('}').unwrap());
    let object: Value = serde_json::from_str(&rest[begin..=end]).unwrap();
    assert_eq!(object["status"], "terminated");
    assert_eq!(object["approvals"][0]["tool"], "orders__update_order");
    assert_ne!(object["approvals"][0]["error"], Value::Null);
    assert_eq!(object["items"], serde_json::json!([]));
}

#[test]
fn a_hostile_input_can_be_viewed_whole_and_commands_no_terminal() {
    let desk = Desk::with_orders();
    let cell = r#"
        const note = '\x1b]0;pwned\x07\u202e' + 'x'.repeat(480);
        text(await attempt(tools.orders__update_order({ id: ids[0], status: 'paid', note })));
    "#;
    let mut person = Person::watches(&desk, "", cell);
    let list = person.answers("v");
    assert!(list.contains("\\u001b]0;pwned\\u0007\\u202exxx"), "{list}");
    assert!(list.contains("more bytes]") && !list.contains(&"x".repeat(480)), "{list}");
    let whole = person.answers("n");
    assert!(whole.contains(&"x".repeat(480)), "{whole}");
    let rest = person.ends(0);
    assert!(rest.contains("refused it") && !rest.contains("\x1b]0;pwned"), "{rest}");
}

#[test]
fn a_terminal_that_gives_no_more_answers_is_nobody() {
    let desk = Desk::with_orders();
    let cell = "text(await attempt(tools.orders__update_order({ id: ids[0], status: 'paid' })))";
    let mut person = Person::watches(&desk, "", cell);
    // Ctrl-D.
    person.answers("\x04");
    person.sees("nobody is there to be asked");
    person.ends(0);
}
