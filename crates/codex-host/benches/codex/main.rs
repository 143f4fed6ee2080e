//! The observed host and this one, side by side: `./x bench codex [PART OF A NAME]`.
//!
//! Both are started as processes and spoken with by one and the same client, that of the tests, over both transports; all of it on one
//! processor. They take turns, and a figure is the median of all of its kind. Machines are shared and noisy: the CPU time of the
//! host stands beside, which suffers less from that. `CARREL_CODEX_OBSERVED` names the program to compare with; another build of
//! this one will do, too.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a benchmark that cannot run has nothing to report, and the client is that of the tests"
)]

#[path = "../../tests/codex/grpc.rs"]
mod grpc;
#[path = "../../tests/codex/json.rs"]
mod json;
mod machine;
mod memory;
#[path = "../../tests/codex/peer.rs"]
#[expect(dead_code, unused_macros, unused_imports, reason = "the tests use all of it")]
mod peer;
mod rows;
mod sides;

use std::env;

use crate::peer::Transport;
use crate::sides::Sides;

fn main() {
    // Cargo says `--bench`.
    let wanted = env::args().skip(1).find(|arg| !arg.starts_with('-'));
    machine::pin();
    machine::describe();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for transport in [Transport::Json, Transport::Grpc] {
        let sides = Sides::new(transport, env::var_os("CARREL_CODEX_OBSERVED"), wanted.clone());
        sides.head();
        runtime.block_on(async {
            rows::measure(&sides).await;
            memory::measure(&sides).await;
        });
    }
    machine::load();
}
