//! Prints the project's figures, each beside its goal: `./x bench [PART OF A NAME]`.
//!
//! A figure is the median over rounds. Beside what the engine computes stands what native QuickJS-NG takes for it. Machines are shared and noisy: compare two builds in one sitting, pinned to
//! one processor, and believe ratios rather than single figures.
#![expect(clippy::expect_used, reason = "a benchmark that cannot run has nothing to report")]

mod busy;
mod check;
mod discovery;
mod durable;
mod engine;
mod hibernation;
mod journal;
mod native;
mod pipe;
mod process;
mod session;
mod soak;
mod stopping;
mod table;
mod typescript;

use std::env;

use table::Table;

fn main() {
    if env::args().nth(1).as_deref() == Some("--soak") {
        return soak::run(env::args().nth(2).and_then(|cells| cells.parse().ok()));
    }
    if env::args().nth(1).as_deref() == Some("--host") {
        return pipe::host(&env::args().collect::<Vec<_>>());
    }
    let mut table = Table::new(env::args().nth(1));
    session::measure(&mut table);
    busy::measure(&mut table);
    engine::measure(&mut table);
    stopping::measure(&mut table);
    typescript::measure(&mut table);
    journal::measure(&mut table);
    discovery::measure(&mut table);
    process::measure(&mut table);
    pipe::measure(&mut table);
    durable::measure(&mut table);
    hibernation::measure(&mut table);
    check::measure(&mut table);
}
