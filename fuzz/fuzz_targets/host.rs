//! A host that says anything at all to its client: when it is gone, nothing of the client's goes on.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tokio::runtime::Builder;

fuzz_target!(|script: &[u8]| {
    let runtime = Builder::new_current_thread().enable_all().start_paused(true).build().expect("a runtime");
    runtime.block_on(carrel_host::strange::host(script));
});
