//! A client that says anything at all to a host: the host ends with it, whatever it did, and takes nobody along.
#![no_main]

use std::sync::{Arc, OnceLock};

use carrel_runtime::{InProcessProvider, Options};
use libfuzzer_sys::fuzz_target;
use tokio::runtime::{Builder, Runtime};

fn host() -> &'static (Runtime, Arc<InProcessProvider>) {
    static HOST: OnceLock<(Runtime, Arc<InProcessProvider>)> = OnceLock::new();
    HOST.get_or_init(|| {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        let provider =
            runtime.block_on(async { InProcessProvider::new(Options::default()) }).expect("a provider");
        (runtime, Arc::new(provider))
    })
}

fuzz_target!(|script: &[u8]| {
    let (runtime, provider) = host();
    runtime.block_on(carrel_host::strange::client(Arc::clone(provider) as Arc<_>, script));
});
