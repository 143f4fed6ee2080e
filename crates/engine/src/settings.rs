//! The wasmtime settings that the build and the program have to agree on: code compiled under others is
//! refused when it is loaded. `build/main.rs` includes this file.

use wasmtime::Config;

/// The address space reserved for each memory: with all that 32 bits reach, no access needs a bounds check.
const MEMORY_RESERVATION_BYTES: u64 = 1 << 32;

/// Returns the settings that both sides share.
pub(crate) fn shared() -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .memory_reservation(MEMORY_RESERVATION_BYTES)
        .memory_may_move(false)
        .wasm_backtrace_max_frames(None);
    config
}
