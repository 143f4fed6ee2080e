//! Policies the whole way: a real cell, the real engine, a real server, and attempts to get round each rule.

use serde_json::{Value, json};

use crate::harness::{Desk, Ran};

/// What the cells of these tests have: `attempt` gives what became of a call as text, `status` reads an order.
const HELPERS: &str = "
    const attempt = (call) => call.then(() => 'done', (error) => `${error.name} ${error.code}: ${error.message}`);
    const status = async (id) => (await tools.orders__get_order({ id })).status;
    const { orders } = await tools.orders__list_orders({ status: 'pending', limit: 5 });
    const ids = orders.map(({ id }) => id);
";

fn desk(policy: &str) -> Desk {
    let desk = Desk::with_orders();
    desk.write("policy.toml", policy);
    desk
}

fn run(desk: &Desk, args: &[&str], cell: &str) -> Ran {
    desk.write("cell.js", format!("{HELPERS}{cell}"));
    desk.run(&[&["run", "--policy", "policy.toml", "cell.js"], args].concat())
}

const DENY: &str = "default = \"allow\"\n[[rule]]\ntools = \"orders__update_order\"\ndecision = \"deny\"\nreason = \"staff only\"";

#[test]
fn a_cell_cannot_get_round_a_denial() {
    let cell = r#"
        const change = { id: ids[0], status: 'paid' };
        const found = [];
        for (let i = 0; i < 3; i++) found.push(await attempt(tools.orders__update_order(change)));
        // Other ways to the same name.
        found.push(await attempt(tools['orders__' + 'update' + '_order'](change)));
        const { orders__update_order: renamed } = tools;
        found.push(await attempt(renamed.call(null, change)));
        found.push(await attempt(Reflect.apply(Reflect.get(tools, 'orders__update_order'), undefined, [change])));
        found.push(await attempt(Promise.race([tools.orders__update_order(change), tools.orders__update_order(change)])));
        // What the promise is made of, replaced.
        const { then } = Promise.prototype;
        Promise.prototype.catch = () => Promise.resolve('done');
        Promise.prototype.then = function (good) { return then.call(this, good, good) };
        const forged = await new Promise((done) => then.call(tools.orders__update_order(change), done, done));
        Promise.prototype.then = then;
        found.push(`${forged.name} ${forged.code}: ${forged.message}`);
        Object.prototype.decision = 'allow';
        Array.prototype.includes = () => true;
        found.push(await attempt(tools.orders__update_order(change)));
        if (new Set(found).size !== 1) throw new Error(JSON.stringify(found));
        text(found[0]);
        // Names that only look the same are none.
        for (const name of ['Orders__update_order', 'orders__update_order ', 'orders__upd\u0430te_order', 'orders__update_order\u200b', 'orders.update_order']) {
            try { await tools[name](change); text(`${name} was called`) } catch (error) { if (error.name !== 'TypeError') text(error) }
        }
        text(await status(ids[0]));
    "#;
    let ran = run(&desk(DENY), &[], cell).expect(0);
    assert_eq!(
        ran.stdout,
        "ToolError denied: `orders__update_order` was not called: the policy denies it (the rule at line 2: staff only). \
         Calling it again does not help\npending\n"
    );
    // One that is not caught is the cell's failure.
    run(&desk(DENY), &[], "await tools.orders__update_order({ id: ids[0], status: 'paid' })")
        .expect(1)
        .says(&["ToolError", "staff only"]);
}

#[test]
fn without_a_policy_every_call_is_made() {
    let desk = Desk::with_orders();
    desk.write(
        "cell.js",
        format!("{HELPERS}text(await attempt(tools.orders__update_order({{ id: ids[0], status: 'paid' }})))"),
    );
    assert_eq!(desk.run(&["run", "cell.js"]).expect(0).stdout, "done\n");
}

#[test]
fn a_burst_gets_no_further_than_its_limit() {
    let policy = "default = \"allow\"\n[[rule]]\ntools = \"*__list_products\"\nlimits = { calls_per_cell = 5 }\n\
                  [[rule]]\ntools = \"*__list_customers\"\nlimits = { calls_per_minute = 3 }\n\
                  [[rule]]\ntools = \"*__get_order\"\nlimits = { result_bytes = 10 }\n\
                  [[rule]]\ntools = \"*__update_order\"\nlimits = { input_bytes = 10 }\n\
                  [[rule]]\ntools = \"*__slow_report\"\nlimits = { call_seconds = 0.05, concurrent_calls = 2 }";
    let cell = r"
        const burst = async (tool) => {
            const all = await Promise.all(Array.from({ length: 40 }, () => attempt(tools[tool]())));
            const again = await attempt(tools[tool]());
            return [all.filter((made) => made === 'done').length, again.split(' ').slice(1, 2), again.match(/`calls_\w+` = \d+/)];
        };
        text(await burst('orders__list_products'));
        text(await burst('orders__list_customers'));
        for (const call of [
            tools.orders__get_order({ id: ids[0] }),
            tools.orders__update_order({ id: ids[0], status: 'paid' }),
            tools.orders__slow_report({ delay_ms: 60_000 }),
        ]) text((await attempt(call)).split(':')[0]);
    ";
    let ran = run(&desk(policy), &[], cell).expect(0);
    assert_eq!(
        ran.stdout,
        "[5,[\"denied:\"],[\"`calls_per_cell` = 5\"]]\n[3,[\"denied:\"],[\"`calls_per_minute` = 3\"]]\n\
         ToolError too_large\nToolError too_large\nToolError timed_out\n"
    );
}

const ASK: &str = "default = \"allow\"\n[[rule]]\nname = \"changes\"\ntools = \"*__update_order\"\ndecision = \"ask\"\nreason = \"it changes an order\"";

#[test]
fn without_a_terminal_nobody_is_asked_and_the_error_says_what_to_do() {
    let cell = "text(await attempt(tools.orders__update_order({ id: ids[0], status: 'paid' }))); text(await status(ids[0]))";
    let ran = run(&desk(ASK), &[], cell).expect(0);
    assert_eq!(
        ran.stdout,
        "ToolError denied: `orders__update_order` was not called: a person has to allow it (rule `changes`: it changes an \
         order), and nobody is there to be asked. Calling it again does not help; whoever runs the cell can allow it at a \
         terminal, or in advance with `--approve orders__update_order`\npending\n"
    );
    let ran = run(&desk(ASK), &["--approve", "orders__upd*"], cell).expect(0);
    assert_eq!(ran.stdout, "done\npaid\n");
    // Nobody is asked about what the tool does not take.
    let ran = run(&desk(ASK), &[], "text(await attempt(tools.orders__update_order({ id: 5 })))").expect(0);
    assert!(ran.stdout.starts_with("ToolError invalid_input: the input does not fit"), "{}", ran.stdout);
    // What is denied is not for asking.
    let ran = run(&desk(DENY), &["--approve", "*"], cell).expect(0);
    assert!(
        ran.stdout.contains("the policy denies it") && ran.stdout.ends_with("pending\n"),
        "{}",
        ran.stdout
    );
    // Waiting for a person who never comes ends with the run.
    let ran = run(&desk(ASK), &["--unattended", "wait", "--timeout", "2s", "--json"], cell).expect(3);
    let object: Value = serde_json::from_str(&ran.stdout).unwrap();
    let [asked] = object["approvals"].as_array().unwrap().as_slice() else { panic!("{object}") };
    assert_eq!((&asked["tool"], &asked["error"]), (&json!("orders__update_order"), &json!("cancelled")));
    assert!(
        asked["question"].as_str().unwrap().starts_with("allow orders__update_order({\"id\":\"o-"),
        "{asked}"
    );
}

#[test]
fn arguments_and_policies_that_cannot_be_used_are_refused_before_anything_runs() {
    let desk = desk("default = \"alow\"");
    desk.run(&["run", "--policy", "policy.toml", "-e", "text(1)"])
        .expect(2)
        .says(&["policy.toml: line 1, column 11", "\"allow\", \"ask\", \"deny\""]);
    desk.run(&["policy", "check", "policy.toml"]).expect(2).says(&["line 1, column 11"]);
    desk.run(&["run", "--approve", "x", "-e", "text(1)"]).expect(2).says(&["--policy"]);
    desk.run(&["run", "--policy", "policy.toml", "--approve", "a.b", "-e", "1"])
        .expect(2)
        .says(&["can fit no tool"]);
    desk.run(&["run", "--policy", "missing.toml", "-e", "1"]).expect(2).says(&["missing.toml"]);
}

#[test]
fn a_check_shows_each_tool_and_warns_of_rules_that_never_apply() {
    let desk = desk(
        "trust = \"orders\"\nlimits = { call_seconds = 1.5 }\n[[rule]]\nname = \"reading\"\nread_only = true\ndecision = \"allow\"\n\
         [[rule]]\ntools = \"orders__updte_order\"\ndecision = \"deny\"",
    );
    let ran = desk.run(&["policy", "check", "policy.toml"]).expect(0).says(&[
        "warning: the rule at line 7 matches no tool: no tool has such a name; did you mean `orders__update_order`?",
    ]);
    let line = |tool: &str| ran.stdout.lines().find(|line| line.starts_with(tool)).unwrap().to_owned();
    assert_eq!(
        line("orders__get_order"),
        "orders__get_order       allow  rule `reading`  call_seconds = 1.5 (all tools)"
    );
    assert_eq!(
        line("orders__update_order"),
        "orders__update_order    ask    the default     call_seconds = 1.5 (all tools)"
    );
    let object: Value =
        serde_json::from_str(&desk.run(&["policy", "check", "policy.toml", "--json"]).expect(0).stdout)
            .unwrap();
    assert_eq!(object["tools"].as_array().unwrap().len(), ran.stdout.lines().count());
    assert_eq!(
        object["tools"][0]["limits"][0],
        json!({ "limit": "call_seconds", "value": 1.5, "by": "all tools" })
    );
    assert_eq!(object["warnings"].as_array().unwrap().len(), 1);
    // Without servers the file alone is looked at.
    std::fs::remove_file(desk.path().join("mcp.json")).unwrap();
    desk.run(&["policy", "check", "policy.toml"]).expect(0).says(&["2 rules", "--mcp"]);
}
