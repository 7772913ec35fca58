//! The main thread ends, as with `pthread_exit` in C, and the others go on. So do those that have read for memprof.

use std::hint::black_box;
use std::thread;

use memprof::profile_memory;

pub(crate) fn main() {
    drop(keeps(1));
    thread::spawn(|| {
        wait_for_the_end_of_main();
        let kept: Vec<Vec<u8>> = (0..4)
            .map(|_| thread::spawn(|| keeps(10)).join().expect("no panic"))
            .collect();
        peaks();
        drop(kept);
        std::process::exit(7);
    });
    // SAFETY: this thread ends here, and no other one uses what is on its stack.
    unsafe { libc::syscall(libc::SYS_exit, 0) };
}

/// The state behind the name is `Z` then.
fn wait_for_the_end_of_main() {
    let state = || std::fs::read_to_string("/proc/self/stat").expect("procfs");
    while !state().contains(") Z ") {
        thread::yield_now();
    }
}

#[profile_memory]
fn keeps(mebibytes: usize) -> Vec<u8> {
    black_box(vec![1; mebibytes << 20])
}

/// For a moment only: no sampler sees it.
#[profile_memory]
fn peaks() {
    drop(black_box(vec![1_u8; 30 << 20]));
}
