//! The program inside every VM: the initialised guest as machine code, embedded by the build.

use std::fmt;

use wasmtime::{Engine, Module};

use crate::EngineError;

static CODE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/guest.cwasm"));
const ID: &str = env!("CARREL_IMAGE_ID");

/// Names an image by the BLAKE3 hash of its initialised WebAssembly and of the versions of the tables by which the host
/// computes for it (languages, time zones, URLs). Two builds with the same id start their
/// VMs from the same bytes, on whatever processor.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ImageId(pub(crate) [u8; 32]);

impl ImageId {
    /// Returns its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns the id of the image in this program.
    #[must_use]
    pub fn of_this_build() -> Self {
        Self(blake3::Hash::from_hex(ID).map_or([0; 32], Into::into))
    }
}

impl fmt::Display for ImageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        blake3::Hash::from_bytes(self.0).fmt(f)
    }
}

impl fmt::Debug for ImageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ImageId({self})")
    }
}

/// Loads the image. Nothing is compiled.
#[expect(unsafe_code, reason = "the one place where machine code comes from bytes")]
pub(crate) fn load(engine: &Engine) -> Result<Module, EngineError> {
    // SAFETY: `CODE` was written by `Engine::precompile_module` in this crate's build and is part of the
    // program, as trusted as its other machine code. wasmtime checks version, settings and processor.
    unsafe { Module::deserialize(engine, CODE) }.map_err(EngineError::new("load the guest image"))
}
