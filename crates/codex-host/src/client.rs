//! Who the client is, so that a host that is started in place of one that is gone knows whose sessions are its own.

/// Returns a number for the client of this name, or for the process that started this one.
pub(crate) fn identity(name: Option<&str>) -> u64 {
    match name {
        Some(name) => hash(name.bytes()),
        None => hash(parent().bytes()),
    }
}

/// FNV-1a: the number tells clients apart, and nothing is trusted to it.
fn hash(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Names the process that started this one. Its number comes again one day; together with when it was started, and since
/// when the machine runs, it does not.
#[cfg(unix)]
fn parent() -> String {
    let pid = rustix::process::getppid().map_or(0, |pid| pid.as_raw_nonzero().get());
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name of the program is in parentheses, and may hold anything; the start is the 20th field after it.
    let started =
        stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(19)).unwrap_or_default();
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    format!("process {pid} {started} {}", boot.trim())
}

#[cfg(not(unix))]
fn parent() -> String {
    String::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_has_one_number_and_another_has_another() {
        assert_eq!(identity(None), identity(None));
        assert_eq!(identity(Some("a")), identity(Some("a")));
        assert_ne!(identity(Some("a")), identity(Some("b")));
    }
}
