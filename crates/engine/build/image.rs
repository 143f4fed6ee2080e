//! From the linked module to the image: run the initialisation once, keep the memory it leaves, compile.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use wasmtime::{Config, Engine, Instance, Linker, Module, OptLevel, Store, Val};
use wasmtime_wizer::{InstanceState, SnapshotVal, ValType, Wizer};

use crate::{Outcome, settings};

const INITIALIZE: &str = "initialize";

/// Runs `initialize` and returns the module with the memory it left.
pub(crate) fn initialize(wasm: &[u8]) -> Outcome<Vec<u8>> {
    check(wasm)?;
    let mut wizer = Wizer::new();
    wizer.init_func(INITIALIZE);
    let (context, instrumented) = wizer.instrument(wasm).map_err(said("the guest cannot be instrumented"))?;

    let mut config = Config::new();
    config.cranelift_opt_level(OptLevel::None);
    let engine = Engine::new(&config).map_err(said("wasmtime does not start"))?;
    let module = Module::new(&engine, &instrumented).map_err(said("the guest does not compile"))?;
    let mut linker = Linker::new(&engine);
    // Initialisation must not reach the host: what it left would depend on it.
    linker.define_unknown_imports_as_traps(&module).map_err(said("the guest's imports are odd"))?;
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &module).map_err(said("the guest does not start"))?;
    for step in ["_initialize", INITIALIZE] {
        instance
            .get_typed_func::<(), ()>(&mut store, step)
            .and_then(|function| function.call(&mut store, ()))
            .map_err(said(step))?;
    }
    let mut state = Initialized { store, instance };
    ready(wizer.snapshot(&context, &mut state))?.map_err(said("the initialised guest cannot be kept"))
}

/// What every x86-64 processor since 2009 has (the level x86-64-v2). Without it, rounding a number is a call.
const X86_64_V2: [&str; 5] = ["has_sse3", "has_ssse3", "has_sse41", "has_sse42", "has_popcnt"];

/// Compiles the image to machine code for `target`, for any processor of that architecture, not only for
/// the one that builds.
#[expect(unsafe_code, reason = "wasmtime marks all settings of its code generator so")]
pub(crate) fn compile(image: &[u8], target: &str) -> Outcome<Vec<u8>> {
    let mut config = settings::shared();
    config
        .target(target)
        .map_err(said("the target is not supported"))?
        .cranelift_opt_level(OptLevel::Speed)
        // The bits of a NaN differ between processors; a VM that moves must not notice.
        .cranelift_nan_canonicalization(true)
        .generate_address_map(false)
        .native_unwind_info(false);
    if target.starts_with("x86_64") {
        for flag in X86_64_V2 {
            // SAFETY: the flags are processor features, which wasmtime checks again when it loads the code.
            unsafe { config.cranelift_flag_enable(flag) };
        }
    }
    let engine = Engine::new(&config).map_err(said("wasmtime does not start"))?;
    engine.precompile_module(image).map_err(said("the image does not compile"))
}

/// A snapshot is memory alone: holds only if the guest has no other state, and asks the host for nothing but
/// what `guest/host.h` declares.
fn check(wasm: &[u8]) -> Outcome<()> {
    use wasmparser::{Parser, Payload};

    let mut mutable = 0;
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.map_err(|e| format!("the guest is not WebAssembly: {e}"))? {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    let import = import.map_err(|e| format!("the guest's imports cannot be read: {e}"))?;
                    if import.module != "carrel" {
                        return Err(format!("the guest asks for {}.{}", import.module, import.name));
                    }
                }
            }
            Payload::GlobalSection(globals) => {
                for global in globals {
                    let global = global.map_err(|e| format!("the guest's globals cannot be read: {e}"))?;
                    mutable += usize::from(global.ty.mutable);
                }
            }
            _ => {}
        }
    }
    // The one is the shadow stack's pointer, which is back at its start between events.
    if mutable == 1 { Ok(()) } else { Err(format!("the guest has {mutable} mutable globals instead of 1")) }
}

/// The initialised guest, for wizer to read.
struct Initialized {
    store: Store<()>,
    instance: Instance,
}

#[expect(clippy::expect_used, clippy::panic, reason = "wizer's trait has no way to fail; a build may panic")]
impl InstanceState for Initialized {
    async fn global_get(&mut self, name: &str, _: ValType) -> SnapshotVal {
        let global = self.instance.get_global(&mut self.store, name).expect("wizer exports what it asks for");
        match global.get(&mut self.store) {
            Val::I32(x) => SnapshotVal::I32(x),
            Val::I64(x) => SnapshotVal::I64(x),
            Val::F32(x) => SnapshotVal::F32(x),
            Val::F64(x) => SnapshotVal::F64(x),
            other => panic!("the guest has a global of type {other:?}"),
        }
    }

    async fn memory_contents(&mut self, name: &str, contents: impl FnOnce(&[u8]) + Send) {
        let memory = self.instance.get_memory(&mut self.store, name).expect("wizer exports what it asks for");
        contents(memory.data(&self.store));
    }
}

/// Nothing above ever waits, so the future is ready at its first poll.
fn ready<T>(future: impl Future<Output = T>) -> Outcome<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Ok(value),
        Poll::Pending => Err("wizer waits for something".to_owned()),
    }
}

fn said(what: &str) -> impl Fn(wasmtime::Error) -> String + '_ {
    move |error| format!("{what}: {error:?}")
}
