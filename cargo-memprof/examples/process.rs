//! A program that `cargo memprof exec` and `attach` are tested on.
//!
//! Its argument says what it does; the last one is the exit code if all goes well.
//!
//!     hold=<MiB>,<ms>            touches memory and keeps it for a while
//!     children=<n>,<MiB>,<ms>    starts copies of itself that hold, and waits for them
//!     orphan=<MiB>,<ms>          starts a copy that holds, and goes on after 300 ms
//!     become=<MiB>,<ms>          replaces itself by a copy that holds
//!     main-ends=<MiB>,<ms>       ends its main thread; another one holds, and ends the process
//!     vfork=<MiB>,<ms>           holds while a child is between vfork and exec
//!     kill=<signal>              ends itself by a signal
//!     interrupts=<ms>            counts SIGINT and SIGTERM meanwhile; their number is the exit code
#![cfg_attr(not(unix), allow(unused))]

use std::process::{Child, Command};
use std::sync::atomic::{AtomicI32, Ordering::SeqCst};
use std::time::{Duration, Instant};

static SIGNALS: AtomicI32 = AtomicI32::new(0);

extern "C" fn count(_: i32) {
    SIGNALS.fetch_add(1, SeqCst);
}

fn main() {
    let mut code = 0;
    for argument in std::env::args().skip(1) {
        let (what, numbers) = argument.split_once('=').unwrap_or((&argument, ""));
        let numbers: Vec<u64> = numbers
            .split(',')
            .filter_map(|number| number.parse().ok())
            .collect();
        match (what, &numbers[..]) {
            ("hold", &[mib, ms]) => drop(hold(mib, ms)),
            ("children", &[n, mib, ms]) => {
                let mut children: Vec<_> = (0..n).map(|_| copy(mib, ms)).collect();
                for child in &mut children {
                    child.wait().expect("a child");
                }
            }
            ("orphan", &[mib, ms]) => {
                drop(copy(mib, ms));
                std::thread::sleep(Duration::from_millis(300));
            }
            ("become", &[mib, ms]) => {
                #[cfg(unix)]
                panic!(
                    "{}",
                    std::os::unix::process::CommandExt::exec(&mut holding(mib, ms))
                );
            }
            #[cfg(target_os = "linux")]
            ("main-ends", &[mib, ms]) => main_ends(mib, ms),
            #[cfg(target_os = "linux")]
            ("vfork", &[mib, ms]) => vfork(mib, ms),
            ("kill", &[signal]) => {
                // SAFETY: raise only reads its argument.
                unsafe { libc::raise(signal as i32) };
            }
            ("interrupts", &[ms]) => code = interrupts(ms),
            _ => code = argument.parse().expect("one of the above, or an exit code"),
        }
    }
    std::process::exit(code);
}

fn hold(mib: u64, ms: u64) -> Vec<u8> {
    let kept = vec![1_u8; (mib as usize) << 20];
    std::thread::sleep(Duration::from_millis(ms));
    kept
}

fn holding(mib: u64, ms: u64) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("a path"));
    command.arg(format!("hold={mib},{ms}"));
    command
}

fn copy(mib: u64, ms: u64) -> Child {
    holding(mib, ms).spawn().expect("a copy")
}

/// As `pthread_exit` does in C: the first thread ends, and the process goes on.
#[cfg(target_os = "linux")]
fn main_ends(mib: u64, ms: u64) {
    std::thread::spawn(move || {
        let _kept = hold(mib, ms);
        // It is still held: a sample on a busy machine may come between a drop and the end.
        std::process::exit(0);
    });
    // SAFETY: this thread ends here; what stands on its stack is not used by the other one.
    unsafe { libc::syscall(libc::SYS_exit, 0) };
}

/// As `vfork` does in C: the child runs in the parent's memory, and the parent waits until it has ended.
#[cfg(target_os = "linux")]
fn vfork(mib: u64, ms: u64) {
    extern "C" fn child(ms: *mut libc::c_void) -> libc::c_int {
        std::thread::sleep(Duration::from_millis(ms as u64));
        0
    }
    let kept = vec![1_u8; (mib as usize) << 20];
    let mut stack = vec![0_u128; 4096];
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
    let top = stack.as_mut_ptr_range().end;
    // SAFETY: the stack is the child's until it has ended, which is when this returns; `child` takes a number.
    let pid = unsafe { libc::clone(child, top.cast(), flags, ms as *mut libc::c_void) };
    assert!(pid > 0);
    // SAFETY: a null pointer is allowed for the status.
    assert_eq!(unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) }, pid);
    drop(kept);
}

fn interrupts(ms: u64) -> i32 {
    for signal in [libc::SIGINT, libc::SIGTERM] {
        // SAFETY: the handler only adds to an atomic.
        unsafe { libc::signal(signal, count as *const () as libc::sighandler_t) };
    }
    println!("ready");
    let until = Instant::now() + Duration::from_millis(ms);
    while Instant::now() < until {
        std::thread::sleep(Duration::from_millis(1));
    }
    SIGNALS.load(SeqCst)
}
