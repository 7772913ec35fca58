//! Says how much processor time the process has taken, and what its peak is, when memprof has written its reports.

use std::io::Write;

use memprof::profile_memory;

#[profile_memory]
fn work() -> Vec<u8> {
    vec![1; 1 << 20]
}

/// `<microseconds of processor time> <KiB at most since memprof looked last>`.
extern "C" fn tell() {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|peak| peak.split_whitespace().next());
    let mut spent = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: it writes into `spent`, which is ours.
    let answer = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut spent) };
    let micros = spent.tv_sec * 1_000_000 + spent.tv_nsec / 1_000;
    let peak = peak.unwrap_or("?");
    let _ = writeln!(std::io::stdout(), "{answer} {micros} {peak}");
}

fn main() {
    // The first to be registered is the last to be called.
    // SAFETY: `tell` does not unwind.
    assert_eq!(unsafe { libc::atexit(tell) }, 0);
    drop(work());
}
