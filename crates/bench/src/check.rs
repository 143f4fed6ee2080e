//! What it costs to check the types of a cell, with TypeScript's compiler in its process.

use std::sync::Arc;

use carrel_checker::{Checker, Compiler, Options};
use carrel_contract::{
    CellChecker, CheckRequest, EarlierCell, JsonText, ToolDescription, ToolName, ToolOutput,
};
use tokio::runtime::Runtime;

use crate::table::{Table, median, milliseconds};

const TOOLS: usize = 300;
const ROUNDS: usize = 200;

pub(crate) fn measure(table: &mut Table) {
    let Ok(compiler) = Compiler::find() else {
        return table.row("check", "", || "no compiler".to_owned());
    };
    let runtime = Runtime::new().expect("a runtime");
    let tools: Arc<[ToolDescription]> = (0..TOOLS).map(tool).collect();
    let fresh = || Checker::with_compiler(compiler.clone(), Options::default());
    let check = |checker: &Checker, request: CheckRequest| {
        runtime.block_on(checker.check(request)).expect("the cell is checked")
    };
    let small = || CheckRequest::new(cell(7).into(), Arc::clone(&tools));
    table.row("check: the first of a process, 300 tools", "", || {
        milliseconds(median(10, || drop(check(&fresh(), small()))))
    });
    let checker = fresh();
    table.row("check: a later one, of a small cell, 300 tools", "", || {
        milliseconds(median(ROUNDS, || drop(check(&checker, small()))))
    });
    let earlier: Vec<_> = (0..20)
        .map(|n| {
            EarlierCell::new(
                format!("const v{n} = {};", if n == 0 { "1".to_owned() } else { format!("v{} + 1", n - 1) })
                    .into(),
                true,
            )
        })
        .collect();
    table.row("check: the same after 20 cells that it stands on", "", || {
        let request = || {
            let source = format!("{}text(v19);", cell(7));
            CheckRequest::new(source.into(), Arc::clone(&tools)).with_earlier(earlier.clone())
        };
        milliseconds(median(ROUNDS, || drop(check(&checker, request()))))
    });
    let large: String = (0..2_000).map(|n| cell(n % TOOLS).replace("found", &format!("found{n}"))).collect();
    let large: Arc<str> =
        large.get(..large.len().min(256 << 10)).and_then(|it| it.rsplit_once('\n')).expect("lines").0.into();
    table.row("check: a cell of 256 KiB", "", || {
        milliseconds(median(3, || {
            drop(check(&checker, CheckRequest::new(Arc::clone(&large), Arc::clone(&tools))));
        }))
    });
    table.row("check: memory of the compiler after these", "", || {
        let held = runtime.block_on(checker.process()).map_or(0, |(_, bytes)| bytes);
        format!("{} MiB", held >> 20)
    });
}

fn cell(tool: usize) -> String {
    format!(
        "const found = await tools.server__tool_{tool}({{ owner: 'a', repo: 'b' }});\nfor (const item of found.items) text(item.title);\n"
    )
}

fn tool(n: usize) -> ToolDescription {
    let input = format!(
        r#"{{"type":"object","required":["owner","repo"],"properties":{{"owner":{{"type":"string","description":"The owner."}},"repo":{{"type":"string"}},"page":{{"type":"integer"}},"state":{{"enum":["open","closed","all"]}},"labels":{{"type":"array","items":{{"type":"string"}}}},"filter_{n}":{{"type":"object","properties":{{"since":{{"type":"string","format":"date-time"}},"depth":{{"type":"integer"}}}}}}}}}}"#
    );
    let output = r#"{"type":"object","required":["items"],"properties":{"items":{"type":"array","items":{"type":"object","required":["id","title"],"properties":{"id":{"type":"integer"},"title":{"type":"string"},"user":{"type":"object","properties":{"login":{"type":"string"}}}}}},"total":{"type":"integer"}}}"#;
    let schema = |text: &str| JsonText::parse(text).expect("a schema");
    ToolDescription::new(
        ToolName::new(&format!("server__tool_{n}")).expect("a name"),
        "Lists what a repository has, page by page, the newest first.",
    )
    .with_input_schema(schema(&input))
    .with_output(ToolOutput { schema: schema(output), observed: false })
}
