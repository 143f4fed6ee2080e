//! Figures of sessions with many tools: the first three hundred of the catalogue's recall set, which are real.

use std::hint::black_box;

use carrel_catalogue::prompt::{DEFAULT_BUDGET_TOKENS, prompt};
use carrel_catalogue::search::Index;
use carrel_contract::TOKEN_BYTES;

use crate::session::Bench;
use crate::table::{Table, median, medians, milliseconds};

#[path = "../../catalogue/tests/recall/set.rs"]
#[allow(
    dead_code,
    clippy::unwrap_used,
    reason = "the catalogue's own reader of its set, of which this takes a part"
)]
mod set;

const TOOLS: usize = 300;

pub(crate) fn measure(table: &mut Table) {
    let mut tools = set::tools();
    tools.truncate(TOOLS);
    assert_eq!(tools.len(), TOOLS, "the set has that many");
    let session = || Bench::new(|spec, _| spec.tools.clone_from(&tools));
    table.row("300 tools: provider, session and first cell", "-", || {
        milliseconds(median(15, || {
            let bench = session();
            bench.runtime.block_on(bench.run("text(\"hi\")"));
        }))
    });
    table.row("no tools: provider, session and first cell", "-", || {
        milliseconds(median(15, || {
            let bench = Bench::new(|spec, _| spec.tools.clear());
            bench.runtime.block_on(bench.run("text(\"hi\")"));
        }))
    });
    table.row("300 tools: a later cell, text(\"hi\")", "-", || {
        let bench = session();
        milliseconds(median(501, || bench.runtime.block_on(bench.run("text(\"hi\")"))))
    });
    table.row("300 tools: a cell that describes one", "-", || {
        let bench = session();
        let source = "await tools.$describe(ALL_TOOLS[150].name)";
        milliseconds(median(101, || bench.runtime.block_on(bench.run(source))))
    });
    table.row("300 tools: a cell that searches, index made", "-", || {
        let bench = session();
        let source = "await tools.$search('create an issue in a repository')";
        milliseconds(median(101, || bench.runtime.block_on(bench.run(source))))
    });
    table.row("300 tools: the index", "10 ms", || {
        let [time] = medians(21, [&mut || drop(black_box(Index::new(&tools)))]);
        milliseconds(time)
    });
    table.row("300 tools: a search", "-", || {
        let index = Index::new(&tools);
        let queries = set::queries().into_iter().flatten().collect::<Vec<_>>();
        let mut all = || {
            for query in &queries {
                drop(black_box(index.search(&query.ask, 10)));
            }
        };
        let [time] = medians(5, [&mut all]);
        milliseconds(time / u32::try_from(queries.len()).expect("some hundred"))
    });
    for (what, budget) in [
        ("300 tools: prompt within the default budget", DEFAULT_BUDGET_TOKENS),
        ("300 tools: prompt without a budget", usize::MAX / TOKEN_BYTES),
    ] {
        table.row(&format!("{what}, bytes"), "-", || prompt(&tools, budget).text.len().to_string());
        table.row(&format!("{what}, time"), "-", || {
            let [time] = medians(5, [&mut || drop(black_box(prompt(&tools, budget)))]);
            milliseconds(time)
        });
    }
}
