//! What tools were seen to return, in a file a configuration.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use carrel_tools::Learned;

use crate::data;

/// Opens what was learned of the tools of these configurations; without a folder for data it is not kept.
pub(crate) fn open(configurations: &[PathBuf]) -> Arc<Learned> {
    Arc::new(match data::folder() {
        Ok(folder) => Learned::open(folder.join("learned").join(file_name(configurations))),
        Err(_) => Learned::in_memory(),
    })
}

/// Servers are known by the names that a configuration gives them, so what is known of them is the configuration's.
fn file_name(configurations: &[PathBuf]) -> String {
    let mut name = 0xcbf2_9ce4_8422_2325_u64;
    for path in configurations {
        let path: &Path = &path.canonicalize().unwrap_or_else(|_| path.clone());
        // FNV-1a, whose numbers are the same in every build; a zero ends each path.
        for byte in path.as_os_str().as_encoded_bytes().iter().chain(&[0]) {
            name = (name ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        }
    }
    format!("{name:016x}.json")
}
