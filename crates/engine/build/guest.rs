//! Compiles QuickJS-NG and our glue to one WebAssembly module.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::toolchain::Toolchain;
use crate::{Outcome, patch, prelude};

/// The guest's shadow stack, where C keeps what has an address. cell.c sets QuickJS's own limit within it.
const STACK_BYTES: usize = 1024 * 1024;

const FLAGS: &[&str] = &[
    "--target=wasm32-wasi",
    "-std=gnu11",
    "-O3",
    "-DNDEBUG",
    "-D_GNU_SOURCE",
    "-fno-strict-aliasing",
    "-mbulk-memory",
    "-msign-ext",
    "-mnontrapping-fptoint",
    "-Wno-implicit-const-int-float-conversion",
];

/// Returns the linked module.
pub(crate) fn compile(toolchain: &Toolchain, quickjs: &Path, out: &Path) -> Outcome<Vec<u8>> {
    let ours = Path::new("guest");
    let prelude = out.join("prelude.c");
    write(&prelude, prelude::as_c(&ours.join("prelude"))?.as_bytes())?;
    let upstream = String::from_utf8_lossy(&read(&quickjs.join("quickjs.c"))?).into_owned();
    write(&out.join("quickjs.c"), patch::quickjs(&upstream)?.as_bytes())?;
    let units = [
        ours.join("quickjs_unit.c"),
        ours.join("libc.c"),
        ours.join("setup.c"),
        ours.join("cell.c"),
        ours.join("calls.c"),
        ours.join("rejections.c"),
        ours.join("memory.c"),
        ours.join("bridge.c"),
        ours.join("utf8.c"),
        ours.join("random.c"),
        ours.join("zone.c"),
        prelude,
        quickjs.join("libregexp.c"),
        quickjs.join("libunicode.c"),
        quickjs.join("dtoa.c"),
    ];
    let mut objects = Vec::new();
    for unit in &units {
        objects.push(object(toolchain, quickjs, out, unit)?);
    }

    let module = out.join("guest.wasm");
    let mut link = Command::new(&toolchain.clang);
    link.args(["--target=wasm32-wasi", "-mexec-model=reactor"])
        .arg(format!("--sysroot={}", toolchain.sysroot.display()))
        .arg(format!("-L{}", toolchain.sysroot.join("lib/wasm32-wasi").display()))
        .args(&objects)
        .arg("-o")
        .arg(&module)
        .arg(format!("-Wl,-z,stack-size={STACK_BYTES}"))
        // The stack lies below the data, so that an overflow traps instead of writing over the heap.
        .args(["-Wl,--stack-first", "-Wl,--strip-all"])
        // The host puts it back when a cell left by a trap and its VM goes on.
        .arg("-Wl,--export=__stack_pointer");
    run(&mut link)?;
    read(&module)
}

/// Compiles one unit, unless that was done already with the same inputs.
fn object(toolchain: &Toolchain, quickjs: &Path, out: &Path, unit: &Path) -> Outcome<PathBuf> {
    let stem = unit.file_stem().unwrap_or_default();
    let object = out.join(stem).with_extension("o");
    let stamp = out.join(stem).with_extension("stamp");

    let mut command = Command::new(&toolchain.clang);
    command
        .args(FLAGS)
        .arg(format!("--sysroot={}", toolchain.sysroot.display()))
        .arg("-isystem")
        .arg(toolchain.sysroot.join("include/wasm32-wasi"))
        // First, for the patched quickjs.c; the rest comes from the crate.
        .arg(format!("-I{}", out.display()))
        .arg(format!("-I{}", quickjs.display()))
        .arg("-Iguest")
        .arg("-c")
        .arg(unit)
        .arg("-o")
        .arg(&object);

    // The sources of a registry crate do not change under their path, which is part of the command.
    let mut inputs = format!("{command:?}").into_bytes();
    inputs.extend(read(unit)?);
    for included in ["host.h", "guest.h", "variables.h", "json_read.c", "json_write.c", "promise.c"] {
        inputs.extend(read(&Path::new("guest").join(included))?);
    }
    inputs.extend(read(&out.join("quickjs.c"))?);
    let inputs = blake3::hash(&inputs).to_hex();
    let up_to_date = object.exists() && fs::read(&stamp).is_ok_and(|old| old == inputs.as_bytes());
    if !up_to_date {
        run(&mut command)?;
        write(&stamp, inputs.as_bytes())?;
    }
    Ok(object)
}

fn run(command: &mut Command) -> Outcome<()> {
    let output = command.output().map_err(|e| format!("{command:?} did not start: {e}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{command:?} failed:\n{}", String::from_utf8_lossy(&output.stderr)))
}

/// Reads a file of the build.
pub(crate) fn read(path: &Path) -> Outcome<Vec<u8>> {
    fs::read(path).map_err(|e| format!("{} cannot be read: {e}", path.display()))
}

/// Writes a file of the build.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Outcome<()> {
    fs::write(path, bytes).map_err(|e| format!("{} cannot be written: {e}", path.display()))
}
