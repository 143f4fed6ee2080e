//! Builds the guest image: C to WebAssembly, initialised, compiled ahead of time.
//!
//! Read in this order: `toolchain` finds the compilers, `sources` the QuickJS-NG sources, `patch` changes a
//! line of them, `prelude` writes our JavaScript as C, `guest` compiles and links all with our glue, `image` runs the initialisation and compiles what is left of it to machine code.
//! The results are `guest.cwasm` in `OUT_DIR`, which `src/image.rs` embeds, and the image's identity.

mod guest;
mod image;
mod patch;
mod prelude;
#[path = "../src/settings.rs"]
mod settings;
mod sources;
mod toolchain;

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;

/// What every step returns: a message for the person who builds.
type Outcome<T> = Result<T, String>;

fn main() -> ExitCode {
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("carrel-engine: {message}");
            ExitCode::FAILURE
        }
    }
}

fn build() -> Outcome<()> {
    for input in ["build", "guest", "src/settings.rs", "Cargo.toml", "../../Cargo.lock"] {
        println!("cargo::rerun-if-changed={input}");
    }
    let out = PathBuf::from(variable("OUT_DIR")?);
    let toolchain = toolchain::find()?;
    let quickjs = sources::quickjs()?;
    let wasm = guest::compile(&toolchain, &quickjs, &out)?;
    let image = image::initialize(&wasm)?;
    let code = image::compile(&image, &variable("TARGET")?)?;
    guest::write(&out.join("guest.cwasm"), &code)?;
    // What the host computes for a guest is part of what a snapshot goes on with.
    let mut identity = image;
    identity.extend(sources::tables()?.into_bytes());
    println!("cargo::rustc-env=CARREL_IMAGE_ID={}", blake3::hash(&identity));
    Ok(())
}

fn variable(name: &str) -> Outcome<String> {
    env::var(name).map_err(|e| format!("cargo did not set {name}: {e}"))
}
