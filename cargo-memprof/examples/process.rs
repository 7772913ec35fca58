//! A program that `cargo memprof exec` and `attach` are tested on.
//!
//! Its argument says what it does; the last one is the exit code if all goes well.
//!
//!     hold=<MiB>,<ms>            touches memory and keeps it for a while
//!     children=<n>,<MiB>,<ms>    starts copies of itself that hold, and waits for them
//!     orphan=<MiB>,<ms>          starts a copy that holds, and goes on after 300 ms
//!     become=<MiB>,<ms>          replaces itself by a copy that holds
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
            ("hold", &[mib, ms]) => hold(mib, ms),
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

fn hold(mib: u64, ms: u64) {
    let kept = vec![1_u8; (mib as usize) << 20];
    std::thread::sleep(Duration::from_millis(ms));
    drop(kept);
}

fn holding(mib: u64, ms: u64) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("a path"));
    command.arg(format!("hold={mib},{ms}"));
    command
}

fn copy(mib: u64, ms: u64) -> Child {
    holding(mib, ms).spawn().expect("a copy")
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
