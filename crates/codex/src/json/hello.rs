//! How a connection begins.

use super::client::Hello;
use super::host::Rejection;

/// The version that is spoken.
pub(super) const VERSION: u32 = 1;
/// What a client may have agreed to, sorted.
const KNOWN: [&str; 4] =
    ["bounded-output-v1", DELEGATE_CAPACITY, "session-cell-execution-resource-limits", "yield-observation"];
const DELEGATE_CAPACITY: &str = "delegate-capacity-4096";

/// What was agreed on.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Agreed {
    pub(super) capabilities: Vec<String>,
    /// The callbacks that the client takes at once.
    pub(super) capacity: usize,
}

/// Checks what no client may say.
pub(super) fn check(hello: &Hello) -> Result<(), String> {
    let versions = &hello.supported_versions;
    if versions.is_empty() {
        return Err("at least one protocol version is required".to_owned());
    }
    for (at, version) in versions.iter().enumerate() {
        if *version == 0 {
            return Err("invalid value: integer `0`, expected a nonzero u32".to_owned());
        }
        if versions.iter().take(at).any(|before| before == version) {
            return Err(format!("duplicate protocol version {version}"));
        }
    }
    for list in [&hello.required_capabilities, &hello.optional_capabilities] {
        for (at, capability) in list.iter().enumerate() {
            if capability.trim().is_empty() {
                return Err("identifier must not be empty".to_owned());
            }
            if list.iter().take(at).any(|before| before == capability) {
                return Err(format!("duplicate capability `{capability}`"));
            }
        }
    }
    match hello.required_capabilities.iter().find(|it| hello.optional_capabilities.contains(it)) {
        Some(both) => Err(format!("capability `{both}` cannot be both required and optional")),
        None => Ok(()),
    }
}

/// Agrees, or says why not.
pub(super) fn agree(hello: &Hello) -> Result<Agreed, Rejection> {
    if !hello.supported_versions.contains(&VERSION) {
        return Err(Rejection::NoCompatibleVersion { supported_versions: [VERSION] });
    }
    if let Some(missing) = hello.required_capabilities.iter().find(|it| !KNOWN.contains(&it.as_str())) {
        return Err(Rejection::MissingRequiredCapability { capability: missing.clone() });
    }
    let is_asked = |known: &&str| {
        hello.required_capabilities.iter().chain(&hello.optional_capabilities).any(|it| it == known)
    };
    let capabilities: Vec<_> =
        KNOWN.iter().filter(|known| is_asked(known)).map(|&it| it.to_owned()).collect();
    let capacity = if capabilities.iter().any(|it| it == DELEGATE_CAPACITY) { 4096 } else { 1024 };
    Ok(Agreed { capabilities, capacity })
}
