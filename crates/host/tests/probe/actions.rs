//! What is tried.

use std::fs::{self, File};
use std::io::Write;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::ptr::null_mut;
use std::time::{Duration, Instant, SystemTime};

use super::stages::Targets;

/// Tries an action. Tells whether it was done; `None` when there is none of that name.
#[expect(unsafe_code, reason = "what is tried here is what no safe code does")]
pub(super) fn act(action: &str, to: &Targets) -> Option<bool> {
    Some(match action {
        // What a host does.
        "work" => work(),
        "keep a journal" => keep_a_journal(to).is_ok(),
        "look whether a process is there" => fs::read(format!("/proc/{}/stat", to.parent)).is_ok(),
        "abort" => std::process::abort(),

        // What it was started with.
        "read the environment" => {
            std::env::vars_os().next().is_some()
                || fs::read("/proc/self/environ").is_ok_and(|content| !content.is_empty())
        }
        "use a descriptor left open" => call(libc::SYS_read, [9, 0, 0, 0]),
        "find the folder it was started in" => {
            std::env::current_dir().is_ok_and(|folder| folder != to.folder && fs::read_dir(folder).is_ok())
        }

        // Files.
        "read a file" => fs::read(to.outside.join("secret")).is_ok(),
        "list a folder" => fs::read_dir(&to.outside).is_ok(),
        "list processes" => fs::read_dir("/proc").is_ok(),
        "write a file" => File::options().append(true).open(to.outside.join("secret")).is_ok(),
        "make a file" => {
            let file = to.outside.join(std::process::id().to_string());
            File::create(&file).is_ok() && fs::remove_file(file).is_ok()
        }
        "truncate a file" => {
            // With reading alone, which truncates, too.
            let path = cstring(&to.outside.join("secret"));
            // SAFETY: the path ends with a zero and lives longer than the call.
            unsafe { libc::open(path.as_ptr(), libc::O_RDONLY | libc::O_TRUNC) >= 0 }
        }
        "make a folder in the journal's" => made(&to.folder.join("folder"), |path| fs::create_dir(path)),
        "make a link in the journal's folder" => {
            made(&to.folder.join("link"), |path| std::os::unix::fs::symlink("/etc/passwd", path))
        }
        "read the parent's environment" => {
            fs::read(format!("/proc/{}/environ", to.parent)).is_ok_and(|content| !content.is_empty())
        }

        // The network.
        "connect" => TcpStream::connect(("127.0.0.1", to.port)).is_ok(),
        "bind a port" => TcpListener::bind("127.0.0.1:0").is_ok(),
        "send a datagram" => UdpSocket::bind("127.0.0.1:0").is_ok(),
        "connect to a socket" => UnixStream::connect(to.outside.join("socket")).is_ok(),

        // Processes.
        // SAFETY: the child of a fork does nothing but end.
        "fork" => unsafe {
            match libc::fork() {
                0 => libc::_exit(0),
                child => child > 0 && libc::waitpid(child, null_mut(), 0) == child,
            }
        },
        "start a program" => Command::new("/bin/true").status().is_ok_and(|status| status.success()),
        // It comes back only when it was refused. The program ends with 0.
        "become a program" => {
            drop(Command::new("/bin/true").exec());
            false
        }
        // SAFETY: neither call has a pointer, and the signal is none.
        "signal the parent" => unsafe { libc::kill(to.parent, 0) == 0 },
        "signal a thread of the parent" => call(libc::SYS_tgkill, [to.parent.into(), to.parent.into(), 0, 0]),
        "be traced" => call(libc::SYS_ptrace, [libc::PTRACE_TRACEME.into(), 0, 0, 0]),
        "make memory executable" => {
            // SAFETY: the mapping is new, and nothing of it is used.
            let mapped = unsafe {
                let (exec, new) =
                    (libc::PROT_READ | libc::PROT_EXEC, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
                libc::mmap(null_mut(), 4096, exec, new, -1, 0)
            };
            mapped != libc::MAP_FAILED
        }
        "raise its limits" => {
            let before = rustix::process::getrlimit(rustix::process::Resource::Core);
            rustix::process::setrlimit(rustix::process::Resource::Core, before).is_ok()
        }

        // What needs rights, or a kernel that has it: where that is not so, it is refused without a sandbox, too.
        "mount" => {
            let place = cstring(&to.outside);
            // SAFETY: both strings end with a zero and live longer than the calls.
            unsafe {
                libc::mount(c"none".as_ptr(), place.as_ptr(), c"tmpfs".as_ptr(), 0, null_mut()) == 0
                    && libc::umount(place.as_ptr()) == 0
            }
        }
        "be another user" => call(libc::SYS_setuid, [65534, 0, 0, 0]),
        "change the root" => {
            let place = cstring(&to.outside);
            // SAFETY: the path ends with a zero and lives longer than the call.
            unsafe { libc::chroot(place.as_ptr()) == 0 }
        }
        "enter a namespace" => call(libc::SYS_unshare, [libc::CLONE_NEWUSER.into(), 0, 0, 0]),
        "open the parent" => call(libc::SYS_pidfd_open, [to.parent.into(), 0, 0, 0]),
        "submit work to a ring" => call(libc::SYS_io_uring_setup, [1, 0, 0, 0]),
        "load a program into the kernel" => call(libc::SYS_bpf, [0, 0, 0, 0]),
        "handle faults" => call(libc::SYS_userfaultfd, [0, 0, 0, 0]),
        "count events" => call(libc::SYS_perf_event_open, [0, 0, -1, -1]),
        "look for keys" => call(libc::SYS_keyctl, [0, -3, 0, 0]),
        _ => return None,
    })
}

/// Makes a system call whose pointers, if it has any, are null.
#[expect(unsafe_code, reason = "there is no other way to make a call that nobody makes")]
fn call(number: libc::c_long, arguments: [libc::c_long; 4]) -> bool {
    let [a, b, c, d] = arguments;
    // SAFETY: the kernel checks pointers, and none of these calls changes memory of this process.
    unsafe { libc::syscall(number, a, b, c, d, 0, 0) >= 0 }
}

fn cstring(path: &std::path::Path) -> std::ffi::CString {
    std::ffi::CString::new(path.as_os_str().as_encoded_bytes()).unwrap_or_default()
}

/// Makes something, and removes it.
fn made(path: &std::path::Path, make: impl FnOnce(&std::path::Path) -> std::io::Result<()>) -> bool {
    make(path).is_ok() && (fs::remove_file(path).is_ok() || fs::remove_dir(path).is_ok())
}

fn work() -> bool {
    let threads: Vec<_> = (0_u8..20)
        .map(|nth| {
            std::thread::Builder::new().name(format!("nth-{nth}")).spawn(move || {
                let memory = vec![nth; 1 << 20];
                std::thread::park_timeout(Duration::from_millis(1));
                let times = (Instant::now(), SystemTime::now());
                drop((memory, times));
                let panicked = std::panic::catch_unwind(|| std::panic::resume_unwind(Box::new(nth)));
                panicked.is_err()
            })
        })
        .collect();
    let worked =
        threads.into_iter().all(|thread| thread.is_ok_and(|thread| thread.join().is_ok_and(|done| done)));
    worked && std::collections::HashMap::from([(1, 2)]).len() == 1
}

fn keep_a_journal(to: &Targets) -> std::io::Result<()> {
    let path = to.folder.join("journal");
    let mut file = File::create(&path)?;
    file.write_all(b"x")?;
    file.sync_all()?;
    assert_eq!(fs::read(&path)?, b"x");
    fs::remove_file(path)?;
    File::open(&to.folder)?.sync_all()
}
