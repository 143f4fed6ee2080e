//! `carrel log`, `replay` and `fork`: sessions that real runs left, and one that another process is running.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::Child;

use serde_json::Value;

use crate::harness::Desk;

const CELL: &str = "const order = await tools.orders__get_order({ id: 'o-1001' });
text('first');
const all = await Promise.all(['o-1002', 'o-1003'].map((id) => tools.orders__get_order({ id })));
store('count', all.length + 1);
text(`read ${order.id} and ${all.length} more`);
";

/// A desk with a session `demo` of two cells: the one above, and one that fails.
fn recorded() -> Desk {
    let desk = Desk::with_orders();
    desk.write("cell.ts", CELL);
    desk.run(&["run", "cell.ts", "--session", "demo"]).expect(0);
    desk.run(&["run", "-e", "text('two'); null.x", "--session", "demo"]).expect(1);
    desk
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_log_is_read_by_people_and_by_programs() {
    let desk = recorded();
    let text = desk.run(&["log", "demo"]).expect(0).stdout;
    for part in [
        "cell admitted",
        "tool called",
        "orders__get_order({\"id\":\"o-1001\"})",
        "output  first",
        "failed  TypeError",
    ] {
        assert!(text.contains(part), "no {part:?} in\n{text}");
    }
    let all = lines(&desk.run(&["log", "demo", "--json"]).expect(0).stdout);
    assert_eq!(all.len(), text.lines().count());
    let numbers: Vec<_> = all.iter().filter_map(|line| line["seq"].as_u64()).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
    let of = |kind: &str| all.iter().filter(|line| line["kind"] == kind).collect::<Vec<_>>();
    assert_eq!(of("session_created").len(), 1);
    assert_eq!(of("tool_called").len(), 3);
    assert_eq!(of("tool_called")[0]["input"]["id"], "o-1001");
    assert_eq!(of("tool_answered")[0]["call_id"], "call-1");
    assert_eq!(of("stored")[0]["value"], 3);
    assert_eq!(of("cell_admitted")[0]["source"], CELL);
    let ends: Vec<_> = of("cell_ended").iter().map(|line| line["status"].clone()).collect();
    assert_eq!(ends, ["succeeded", "failed"]);

    let end = of("cell_ended")[0]["seq"].as_u64().unwrap();
    let after = lines(&desk.run(&["log", "demo", "--json", "--after", &end.to_string()]).expect(0).stdout);
    assert!(after.first().unwrap()["entry"].as_u64() >= of("cell_ended")[0]["entry"].as_u64());
    assert!(after.iter().all(|line| line["seq"].is_null() || line["seq"].as_u64() > Some(end)));
    let second = lines(&desk.run(&["log", "demo", "--json", "--cell", "2"]).expect(0).stdout);
    assert!(!second.is_empty() && second.iter().all(|line| line["cell"] == "cell-2"));

    desk.run(&["log", "demo", "--cell", "3"]).expect(2).says(&["`demo` has no cell-3"]);
    desk.run(&["log", "demo", "--after", "1000"]).expect(2).says(&["ends with event", "before 1000"]);
    desk.run(&["log", "nobody"]).expect(2).says(&["there is no session `nobody`"]);
}

#[test]
fn a_cell_is_replayed_without_its_tools() {
    let desk = recorded();
    // Nothing is there to be called.
    fs::remove_file(desk.path().join("mcp.json")).unwrap();
    let ran = desk
        .run(&["replay", "demo", "--cell", "1"])
        .expect(0)
        .says(&["came to its recorded end, as recorded"]);
    for part in [
        "called    call-1  orders__get_order({\"id\":\"o-1001\"})",
        "cell.js:1:27  const order = await tools.orders__get_order({ id: 'o-1001' });",
        "answered  call-1  {",
        "output    read o-1001 and 2 more",
    ] {
        assert!(ran.stdout.contains(part), "no {part:?} in\n{}", ran.stdout);
    }
    desk.run(&["replay", "demo", "--cell", "cell-2"]).expect(0).says(&["as recorded"]);

    // Where it stood when both calls were under way.
    let log = lines(&desk.run(&["log", "demo", "--json"]).expect(0).stdout);
    let called: Vec<_> = log.iter().filter(|line| line["kind"] == "tool_called").collect();
    let third = called[2]["seq"].to_string();
    let ran = desk.run(&["replay", "demo", "--cell", "1", "--to", &third]).expect(0);
    let waits: Vec<_> = ran.stdout.lines().filter(|line| line.contains("waits for")).collect();
    assert_eq!(waits.len(), 2, "{}", ran.stdout);
    assert!(waits[1].contains("o-1003") && waits[1].ends_with("cell.js:3:70"), "{waits:?}");
    assert!(ran.stdout.contains("output     first") && !ran.stdout.contains("stored"), "{}", ran.stdout);

    desk.run(&["replay", "demo", "--cell", "9"]).expect(2).says(&["cell-9"]);
    desk.run(&["replay", "demo", "--cell", "1", "--to", "999"])
        .expect(2)
        .says(&["ends with event", "before 999"]);
    desk.run(&["replay", "demo", "--cell", "1", "--edit", "nowhere.js"]).expect(2).says(&["nowhere.js"]);
}

#[test]
fn an_edited_cell_says_where_it_parts_from_the_record() {
    let desk = recorded();
    let seen = desk.write("seen.ts", CELL.replace("text('first')", "text('other')"));
    let seen = seen.to_str().unwrap();
    let ran = desk
        .run(&["replay", "demo", "--cell", "1", "--edit", seen])
        .expect(0)
        .says(&["came to its recorded end, with 2 differences"]);
    assert!(
        ran.stdout.contains("+ output    other") && ran.stdout.contains("- output    first"),
        "{}",
        ran.stdout
    );
    let asks = desk.write("asks.ts", CELL.replace("'o-1003'", "'o-1004'"));
    let ran = desk.run(&["replay", "demo", "--cell", "1", "--edit", asks.to_str().unwrap()]).expect(1);
    let ran = ran.says(&[
        "diverged after event",
        "recorded  called",
        "o-1003",
        "now       called",
        "o-1004",
        "asks.ts:3:",
    ]);
    assert!(ran.stdout.contains("output    first"), "how far it got:\n{}", ran.stdout);
}

#[test]
fn a_replay_goes_step_by_step() {
    let desk = recorded();
    // Three steps, where it stands, and away.
    let ran = desk.run_with_stdin(&["replay", "demo", "--cell", "1", "--step"], b"\n\ns\nq\n").expect(0);
    let ran = ran.says(&["Enter: the next step"]);
    assert!(ran.stdout.contains("answered  call-1") && ran.stdout.contains("after event"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("first"), "{}", ran.stdout);
    let ran = desk.run_with_stdin(&["replay", "demo", "--cell", "1", "--step"], b"\nc\n").expect(0);
    ran.says(&["as recorded"]);
}

/// A process that runs a cell of the session `live`, which has said something and waits.
struct Live(Child);

impl Live {
    fn start(desk: &Desk) -> Self {
        let code = "store('k', 'v'); text('begun'); await new Promise((go) => setTimeout(go, 3_600_000)); text('never')";
        let mut child = desk.spawn(&["run", "--session", "live", "-e", code]);
        let mut said = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut said).unwrap();
        assert_eq!(said, "begun\n");
        Self(child)
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[test]
fn a_session_that_another_process_runs_is_read_replayed_and_forked() {
    let desk = Desk::new();
    let live = Live::start(&desk);
    assert!(desk.run(&["log", "live"]).expect(0).stdout.contains("output  begun"));
    let mut follows = desk.spawn(&["log", "live", "--follow", "--json"]);
    let followed = BufReader::new(follows.stdout.as_mut().unwrap()).lines();
    let output = followed.map(|line| line.unwrap()).find(|line| line.contains("\"kind\":\"output\""));
    assert!(output.unwrap().contains("begun"));
    follows.kill().unwrap();
    follows.wait().unwrap();
    let ran = desk.run(&["replay", "live", "--cell", "1"]).expect(0).says(&["the end of the recording"]);
    assert!(ran.stdout.contains("timer "), "{}", ran.stdout);

    assert_eq!(desk.run(&["fork", "live", "other"]).expect(0).stdout, "other\n");
    desk.run(&["fork", "live", "other"]).expect(2).says(&["`other` already"]);
    desk.run(&["fork", "live", "a name"]).expect(2).says(&["a name"]);
    desk.run(&["fork", "live", "--at", "99"]).expect(2).says(&["ends with"]);
    let begin = desk.run(&["fork", "live", "--at", "0"]).expect(0).stdout;
    let log = desk.run(&["log", begin.trim()]).expect(0).stdout;
    assert!(log.contains("forked  off live:") && !log.contains("cell-1"), "{log}");
    let ran = desk.run(&["run", "-e", "text(String(load('k')))", "--session", begin.trim()]);
    assert_eq!(ran.expect(0).stdout, "undefined\n");
    drop(live);
    desk.run(&["sessions"]).expect(0);
}

#[test]
fn a_damaged_log_is_shown_up_to_the_damage() {
    let desk = recorded();
    // Opening the store moves its log into the file.
    desk.run(&["store", "check"]).expect(0);
    let path = desk.path().join("data/store/carrel.db");
    let mut bytes = fs::read(&path).unwrap();
    let what = b"text('two'); null.x";
    let at = bytes.windows(what.len()).position(|window| window == what).unwrap();
    *bytes.get_mut(at).unwrap() ^= 1;
    fs::write(&path, bytes).unwrap();
    let ran = desk.run(&["log", "demo"]).expect(1).says(&["session demo:", "is damaged"]);
    assert!(ran.stdout.contains("read o-1001 and 2 more"), "{}", ran.stdout);
    // What is before the damage can be replayed, and forked.
    desk.run(&["replay", "demo", "--cell", "1"]).expect(0);
    desk.run(&["replay", "demo", "--cell", "2"]).expect(1).says(&["is damaged"]);
    desk.run(&["fork", "demo", "saved", "--at", "1"]).expect(0);
    desk.run(&["fork", "demo"]).expect(1).says(&["is damaged"]);
}
