//! Seccomp: the system calls by which sessions run. Any other kills the process.
//!
//! Not among them: sockets, connecting, processes, executing, tracing, signals to others,
//! memory that can be executed (the engine's code was mapped before), and what a kernel has for administrators. Opening a file is refused, and
//! with a journal left to Landlock, instead: the C library looks into files of the system's, when it frees memory for example, and does without.

use std::collections::BTreeMap;
use std::error::Error;

use landlock::PathFd;
use libc::{
    CLONE_NEWCGROUP, CLONE_NEWIPC, CLONE_NEWNET, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWUSER, CLONE_NEWUTS,
    CLONE_THREAD, EACCES, ENOSYS, PR_SET_NAME, PROT_EXEC,
};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen as Length, SeccompCmpOp as Is, SeccompCondition as Condition,
    SeccompFilter, SeccompRule, apply_filter_all_threads,
};

use super::{Level, SandboxError};

/// A process that reaches nothing but what it has open, and one folder.
#[derive(Debug)]
pub struct Confined {
    /// The version of Landlock that holds it.
    landlock: usize,
    has_folder: bool,
    /// While it is open, the rule for it holds.
    _pages: PathFd,
}

impl Confined {
    pub(super) fn new(landlock: usize, has_folder: bool, pages: PathFd) -> Self {
        Self { landlock, has_folder, _pages: pages }
    }

    /// Gives up, for all threads there are and will be, every system call that running sessions does not take.
    ///
    /// # Errors
    /// When the filter cannot be made. A kernel that takes none is no error: the level says so.
    pub fn seal(self) -> Result<Level, SandboxError> {
        let failed = SandboxError::new("give up system calls");
        let filtered = filter(self.has_folder).map_err(|error| failed(&error))?;
        Ok(Level::new(self.landlock, filtered))
    }
}

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Filters the calls of all threads from here on. Tells whether the kernel does that.
fn filter(has_folder: bool) -> Result<bool, Box<dyn Error>> {
    // Threads are made by `clone3`, whose flags a filter cannot see; where there is none, by `clone`.
    let absent = refuse(&[&[libc::SYS_clone3]], ENOSYS)?;
    let closed = refuse(if has_folder { &[] } else { OPENING }, EACCES)?;
    let allowed = compile(allowed(has_folder)?, SeccompAction::KillProcess, SeccompAction::Allow)?;
    for program in [absent, closed, allowed] {
        match apply_filter_all_threads(&program) {
            Ok(()) => {}
            Err(seccompiler::Error::Seccomp(error)) if is_missing(&error) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(true)
}

/// Tells whether that is the answer of a kernel without filters, or of one that does not let its guests have any.
fn is_missing(error: &std::io::Error) -> bool {
    matches!(error.raw_os_error(), Some(ENOSYS | libc::EINVAL | libc::EPERM))
}

/// Answers calls with an error.
fn refuse(calls: &[&[i64]], error: i32) -> Result<BpfProgram, Box<dyn Error>> {
    let rules = calls.iter().copied().flatten().map(|call| (*call, Vec::new())).collect();
    compile(rules, SeccompAction::Allow, SeccompAction::Errno(u32::try_from(error)?))
}

fn compile(
    rules: Rules,
    otherwise: SeccompAction,
    matched: SeccompAction,
) -> Result<BpfProgram, Box<dyn Error>> {
    let filter = SeccompFilter::new(rules, otherwise, matched, std::env::consts::ARCH.try_into()?)?;
    Ok(filter.try_into()?)
}

/// Calls that are allowed whatever their arguments: reading, writing and waiting on what is open; memory; time; threads.
const ALWAYS: &[i64] = &[
    // Streams, and the clients that come.
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_close,
    libc::SYS_dup,
    libc::SYS_fcntl,
    libc::SYS_fstat,
    libc::SYS_lseek,
    libc::SYS_accept4,
    libc::SYS_recvfrom,
    libc::SYS_recvmsg,
    libc::SYS_sendmsg,
    libc::SYS_sendto,
    libc::SYS_shutdown,
    libc::SYS_getsockname,
    libc::SYS_getsockopt,
    libc::SYS_setsockopt,
    // Waiting.
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait,
    libc::SYS_ppoll,
    libc::SYS_futex,
    libc::SYS_restart_syscall,
    // Memory.
    libc::SYS_brk,
    libc::SYS_madvise,
    libc::SYS_mremap,
    libc::SYS_munmap,
    libc::SYS_membarrier,
    // The image that VMs are copied from, made with the first.
    libc::SYS_memfd_create,
    libc::SYS_ftruncate,
    // Time and chance.
    libc::SYS_clock_getres,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_gettimeofday,
    libc::SYS_nanosleep,
    libc::SYS_getrandom,
    // Threads.
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_gettid,
    libc::SYS_rseq,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_yield,
    libc::SYS_set_robust_list,
    libc::SYS_sigaltstack,
    // Signals to this process.
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    // Who and where it is.
    libc::SYS_getpid,
    libc::SYS_getppid,
    libc::SYS_geteuid,
    libc::SYS_getuid,
    libc::SYS_getrusage,
    libc::SYS_sysinfo,
    libc::SYS_uname,
];

/// The same, by names that only older architectures have.
#[cfg(target_arch = "x86_64")]
const ALWAYS_OLD: &[i64] = &[libc::SYS_epoll_wait, libc::SYS_poll];
#[cfg(not(target_arch = "x86_64"))]
const ALWAYS_OLD: &[i64] = &[];

/// What a journal's files take. Which files, Landlock says.
const FILES: &[i64] = &[
    libc::SYS_newfstatat,
    libc::SYS_statx,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_readlinkat,
    libc::SYS_getdents64,
    libc::SYS_getcwd,
    libc::SYS_unlinkat,
    libc::SYS_pread64,
    libc::SYS_pwrite64,
    libc::SYS_fallocate,
    libc::SYS_fsync,
    libc::SYS_fdatasync,
    libc::SYS_fchmod,
    libc::SYS_fchown,
];
#[cfg(target_arch = "x86_64")]
const FILES_OLD: &[i64] =
    &[libc::SYS_stat, libc::SYS_lstat, libc::SYS_access, libc::SYS_readlink, libc::SYS_unlink];
#[cfg(not(target_arch = "x86_64"))]
const FILES_OLD: &[i64] = &[];

const OPENING: &[&[i64]] = &[&[libc::SYS_openat], OPENING_OLD];
#[cfg(target_arch = "x86_64")]
const OPENING_OLD: &[i64] = &[libc::SYS_open];
#[cfg(not(target_arch = "x86_64"))]
const OPENING_OLD: &[i64] = &[];

/// What makes a process of its own, or a world of its own for one.
const NAMESPACES: i32 =
    CLONE_NEWCGROUP | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUSER | CLONE_NEWUTS;
/// `ioctl`'s name for asking which pages of its memory a process has changed, as VMs are set back by: of Linux's `fs.h`.
const PAGEMAP_SCAN: u64 = 0xc060_6610;
/// `prctl`'s name for naming memory, as newer allocators do.
const PR_SET_VMA: u64 = 0x5356_4d41;

fn allowed(has_folder: bool) -> Result<Rules, Box<dyn Error>> {
    let files: &[&[i64]] = if has_folder { &[FILES, FILES_OLD] } else { &[] };
    let plain = [ALWAYS, ALWAYS_OLD].iter().chain(OPENING).chain(files).copied().flatten();
    let mut rules: Rules = plain.map(|call| (*call, Vec::new())).collect();
    // Another filter sees to it, as to opening.
    rules.insert(libc::SYS_clone3, Vec::new());
    let when = |argument, length, is, value| -> Result<SeccompRule, Box<dyn Error>> {
        Ok(SeccompRule::new(vec![Condition::new(argument, length, is, value)?])?)
    };
    // Threads, and no processes.
    let thread = bits(CLONE_THREAD);
    let kind = Is::MaskedEq(thread | bits(NAMESPACES));
    rules.insert(libc::SYS_clone, vec![when(0, Length::Qword, kind, thread)?]);
    // No memory that can be executed.
    for call in [libc::SYS_mmap, libc::SYS_mprotect] {
        rules.insert(call, vec![when(2, Length::Qword, Is::MaskedEq(bits(PROT_EXEC)), 0)?]);
    }
    // Signals to this process, by which it aborts.
    rules.insert(libc::SYS_tgkill, vec![when(0, Length::Dword, Is::Eq, std::process::id().into())?]);
    rules.insert(libc::SYS_ioctl, vec![when(1, Length::Dword, Is::Eq, PAGEMAP_SCAN)?]);
    let names = [bits(PR_SET_NAME), PR_SET_VMA];
    let named = names.into_iter().map(|name| when(0, Length::Dword, Is::Eq, name));
    rules.insert(libc::SYS_prctl, named.collect::<Result<_, _>>()?);
    Ok(rules)
}

/// Takes flags as the kernel does.
fn bits(flags: i32) -> u64 {
    u64::from(flags.cast_unsigned())
}
