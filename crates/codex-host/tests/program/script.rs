//! What is said: every kind of cell, turns that a person interrupts, and a host that is killed.
//!
//! A step is over when something has happened: a call came, or the model is asked again. Two yields are by time; their cells
//! get three seconds for what takes none.

use serde_json::json;

use crate::conversation::{Conversation, Sent};
use crate::package::Package;

/// What the model was sent, and the folder that appears in it.
pub(crate) struct Record {
    pub(crate) folder: String,
    pub(crate) sent: Vec<Sent>,
}

/// Holds the conversation.
pub(crate) async fn play(package: Package) -> Record {
    let mut it = Conversation::begin(&package).await;
    it.turn("cells").await;
    values_and_calls(&mut it).await;
    yields(&mut it).await;
    outputs(&mut it).await;
    it.end_turn().await;
    interruptions(&mut it).await;
    it.turn("losses").await;
    losses(&mut it).await;
    it.end_turn().await;
    let folder = package.path().to_str().unwrap().to_owned();
    Record { folder, sent: it.end().await }
}

async fn values_and_calls(it: &mut Conversation) {
    it.exec("tools", "text(ALL_TOOLS)").await;
    it.exec("store", "store('kept', {a: 1}); text('stored')").await;
    it.exec("load", "text(load('kept')); text(load('other'))").await;
    it.exec("nested call", "const r = await tools.exec_command({cmd: 'echo nested-$((1+2))'}); text(r.output); text(r.exit_code)").await;
    it.exec("nested call that fails", "try { await tools.exec_command({cmd: 1}) } catch (e) { text(e) }")
        .await;

    let source = "text(await Promise.all([1, 2, 3].map(n => tools.gate({n}))))";
    it.begin_exec("calls at once", source);
    let calls = [it.call(1).await, it.call(2).await, it.call(3).await];
    for (call, text) in calls.into_iter().zip(["one", "two", "three"]).rev() {
        it.open(call, text).await;
    }
    it.asked().await;

    it.begin_exec("call that does not succeed", "text(await tools.gate({n: 4}))");
    let call = it.call(4).await;
    it.program.answer(call, "not today", false).await;
    it.asked().await;
    it.exec("notify", "notify('a notification'); text('after')").await;
}

async fn yields(it: &mut Conversation) {
    let source =
        "// @exec: {\"yield_time_ms\": 3000}\ntext('before'); text(await tools.gate({n: 5})); text('after')";
    it.begin_exec("yield by time", source);
    let call = it.call(5).await;
    it.asked().await;
    it.open(call, "in between").await;
    it.wait("wait for the rest", &it.cell()).await;
    it.wait("wait for a cell that ended", &it.cell()).await;

    it.exec("yield_control", "text('first'); yield_control(); text('second'); await new Promise(() => {})")
        .await;
    let cell = it.cell();
    it.begin_wait("wait in vain", &json!({"cell_id": cell, "yield_time_ms": 3000}));
    it.asked().await;
    it.begin_wait("terminate", &json!({"cell_id": cell, "terminate": true}));
    it.asked().await;
    it.wait("wait for a cell that never was", "1000").await;

    it.exec("timer", "text('a'); yield_control(); await new Promise(r => setTimeout(r, 50)); text('b')")
        .await;
    it.wait("wait for a timer", &it.cell()).await;
}

async fn outputs(it: &mut Conversation) {
    let png =
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    it.exec("image", &format!("text('a picture:'); image('data:image/png;base64,{png}')")).await;
    it.exec("image from elsewhere", "image('https://example.com/a.png')").await;
    it.exec("error", "text('so far'); function f() { throw new TypeError('boom') }\nf()").await;
    it.exec("thrown value", "throw {a: 1}").await;
    it.exec("types", "const n: number = 2; text(n)").await;
    it.exec("exit", "text('one'); store('exit', 1); exit(); text('two')").await;
    it.exec("no output", "load('kept')").await;
    let lines = "for (let i = 0; i < 3000; i++) text('line ' + i + ' ' + 'x'.repeat(40))";
    it.exec("over the budget", lines).await;
    it.exec("over a budget of its own", &format!("// @exec: {{\"max_output_tokens\": 100}}\n{lines}")).await;
}

async fn interruptions(it: &mut Conversation) {
    it.turn("call").await;
    it.begin_exec("interrupted call", "store('kept', 2); text('before'); await tools.gate({n: 6})");
    let cell = it.cells.to_string();
    it.call(6).await;
    it.interrupt().await;
    it.turn("after the call").await;
    it.wait("wait for the interrupted cell", &cell).await;
    it.exec("cell after an interruption", "text(load('kept'))").await;

    it.exec(
        "yield before an interruption",
        "text('a'); yield_control(); await tools.gate({n: 7}); text('b')",
    )
    .await;
    let call = it.call(7).await;
    let cell = it.cell();
    it.begin_wait("interrupted wait", &json!({"cell_id": cell, "yield_time_ms": 100_000}));
    it.taken().await;
    it.interrupt().await;
    drop(call);
    it.turn("after the wait").await;
    it.wait("wait for the cell of the interrupted wait", &cell).await;

    it.begin_exec("interrupted loop", "await tools.gate({n: 8}); for (;;) {}");
    let call = it.call(8).await;
    it.open(call, "go").await;
    it.program.notice("item/completed", |it| it["item"]["arguments"]["n"] == 8).await;
    it.interrupt().await;
    it.turn("after the loop").await;
    it.exec("cell after a loop", "text('free')").await;

    it.exec(
        "cell that outlives its turn",
        "text('a'); yield_control(); await new Promise(r => setTimeout(r, 50)); text('b')",
    )
    .await;
    let cell = it.cell();
    it.end_turn().await;
    it.turn("next").await;
    it.wait("wait in the next turn", &cell).await;
    it.end_turn().await;
}

async fn losses(it: &mut Conversation) {
    it.exec("yield before a loss", "text('a'); yield_control(); await new Promise(() => {})").await;
    let cell = it.cell();
    it.begin_exec("host killed", "text('before'); await tools.gate({n: 9})");
    it.call(9).await;
    it.program.host().kill();
    it.asked().await;
    it.exec("first cell after a loss", "text(load('kept'))").await;
    it.exec("second cell after a loss", "text(load('kept')); store('kept', 4)").await;
    it.wait("wait for a lost cell", &cell).await;
    it.exec("third cell after a loss", "text(load('kept')); text('x'); yield_control(); text('y')").await;
    it.wait("wait after a loss", &it.cell()).await;
    it.exec("what is no cell", "// @exec: {\"other\": 1}\ntext(1)").await;
}
