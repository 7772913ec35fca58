//! What is annotated.

use std::hint::black_box;
use std::thread::sleep;
use std::time::Duration;

use memprof::profile_memory;

/// Long enough for the sampler to be at work.
#[profile_memory(interval_ms = 1)]
pub(crate) fn work() {
    let kept = black_box(vec![1_u8; 1 << 20]);
    sleep(Duration::from_millis(20));
    drop(kept);
}

/// Long enough for a journal, from which the run of a program is made that ends without a report.
#[profile_memory]
pub(crate) fn work_until_there_is_a_journal() {
    for _ in 0..40 {
        work();
    }
}

/// Has no system call in it that is not memprof's.
#[profile_memory]
pub(crate) fn touch(n: u64) -> u64 {
    let twice = black_box(n) * 2;
    twice + 1
}

/// `what`, in an annotated call.
#[profile_memory]
pub(crate) fn within<T>(what: impl FnOnce() -> T) -> T {
    touch(1);
    let result = what();
    touch(2);
    result
}
