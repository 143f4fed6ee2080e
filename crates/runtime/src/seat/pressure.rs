//! Whether memory is short: read from the files in which Linux says so. Where there are none, it never is.

use std::fs;

/// Less than one of so many of what there is must be left for memory to be short.
const ONE_OF: u64 = 20;

/// Tells whether memory is short, or this process has more than it may.
pub(crate) fn is_high(most_resident_bytes: Option<u64>) -> bool {
    most_resident_bytes.is_some_and(|most| resident_bytes().is_some_and(|bytes| bytes > most))
        || machine().is_some_and(is_short)
        || group().is_some_and(is_short)
}

/// What is left, of how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Left {
    bytes: u64,
    of: u64,
}

fn is_short(Left { bytes, of }: Left) -> bool {
    bytes < of / ONE_OF
}

fn resident_bytes() -> Option<u64> {
    field(&fs::read_to_string("/proc/self/status").ok()?, "VmRSS:").map(|kib| kib * 1024)
}

fn machine() -> Option<Left> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    Some(Left { bytes: field(&text, "MemAvailable:")?, of: field(&text, "MemTotal:")? })
}

/// What the control group of this process has left, not counting what of its files is in memory only because there is room.
fn group() -> Option<Left> {
    let group = fs::read_to_string("/proc/self/cgroup").ok()?;
    let path = group.lines().find_map(|line| line.strip_prefix("0::"))?;
    let read = |name: &str| fs::read_to_string(format!("/sys/fs/cgroup{path}/{name}")).ok();
    group_left(&read("memory.max")?, &read("memory.current")?, &read("memory.stat")?)
}

fn group_left(max: &str, current: &str, stat: &str) -> Option<Left> {
    // "max" is no bound.
    let of: u64 = max.trim().parse().ok()?;
    let current: u64 = current.trim().parse().ok()?;
    let used = current.saturating_sub(field(stat, "inactive_file").unwrap_or(0));
    Some(Left { bytes: of.saturating_sub(used), of })
}

/// Returns the number after a name at the beginning of a line.
fn field(text: &str, name: &str) -> Option<u64> {
    let after = text.lines().find_map(|line| line.strip_prefix(name))?;
    after.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_group_has_left_is_without_its_files() {
        let stat = "anon 10\nfile 500\ninactive_file 400\n";
        assert_eq!(group_left("1000\n", "990\n", stat), Some(Left { bytes: 410, of: 1000 }));
        assert!(!is_short(Left { bytes: 410, of: 1000 }) && is_short(Left { bytes: 49, of: 1000 }));
        assert_eq!(group_left("max\n", "990\n", stat), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_machine_says_what_it_has() {
        assert!(machine().is_some_and(|left| left.bytes < left.of));
        assert!(is_high(Some(1)), "this process has more than a byte");
    }
}
