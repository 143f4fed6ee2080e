//! What the kernel says of the machine and of a process, and where everything runs.

use std::fs;
use std::time::Duration;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Has this process, and what it starts, on one processor.
pub(crate) fn pin() {
    let all = sched_getaffinity(None).unwrap();
    let first = (0..CpuSet::MAX_CPU).find(|cpu| all.is_set(*cpu)).unwrap();
    let mut one = CpuSet::new();
    one.set(first);
    sched_setaffinity(None, &one).unwrap();
}

pub(crate) fn describe() {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap();
    let of = |name: &str| {
        info.lines().find_map(|line| line.strip_prefix(name)?.split_once(':')).map(|(_, value)| value.trim())
    };
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    println!("{}, Linux {}", of("model name").unwrap_or("a processor"), kernel.trim());
    load();
}

pub(crate) fn load() {
    println!("load: {}", fs::read_to_string("/proc/loadavg").unwrap().trim());
}

/// Returns the CPU time that a process has used, threads that are gone included, in steps of 10 ms.
pub(crate) fn cpu_time(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields = stat.rsplit_once(')').unwrap().1.split_whitespace().skip(11).take(2);
    Duration::from_millis(fields.map(|ticks| ticks.parse::<u64>().unwrap() * 10).sum())
}

/// Returns the memory that a process has resident.
pub(crate) fn resident(pid: u32) -> usize {
    memory(pid, "Rss:")
}

/// Returns the memory of a process, of which it has its share of what it shares, so that the image that all cells begin with
/// counts once.
pub(crate) fn share(pid: u32) -> usize {
    memory(pid, "Pss:")
}

fn memory(pid: u32, kind: &str) -> usize {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap();
    let kilobytes = rollup.lines().find_map(|line| line.strip_prefix(kind)?.trim().strip_suffix(" kB"));
    kilobytes.unwrap().trim().parse::<usize>().unwrap() * 1024
}

pub(crate) fn threads(pid: u32) -> usize {
    fs::read_dir(format!("/proc/{pid}/task")).unwrap().count()
}
