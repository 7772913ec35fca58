//! Peaks that samples would miss or mix up.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use memprof::profile_memory;
use memprof_tests::MIB;
use memprof_tests::mapping::Mapping;

fn main() {
    // The pages of the code that does this are not what is measured.
    temporary(MIB);
    println!("warm {}", high_water());
    short_temporary();
    two_threads();
    outer();
    for _ in 0..2 {
        println!("VmHWM {}", marks());
    }
}

/// 300 MiB that live for about a millisecond, with no sample anywhere near, however slow the machine.
#[profile_memory(interval_ms = 86_400_000)]
fn short_temporary() {
    std::thread::sleep(Duration::from_millis(2));
    temporary(300 * MIB); //= hits 1 net 0 peak 300
    std::thread::sleep(Duration::from_millis(2)); //= hits 1 net 0 peak 0
}

fn temporary(bytes: usize) {
    let mapping = Mapping::new(bytes);
    std::thread::sleep(Duration::from_millis(1));
    drop(mapping);
}

/// The first thread's temporary rises and falls within one line of the second, and the other way
/// round: each call's peak is what it took itself.
fn two_threads() {
    let meeting = Meeting {
        barrier: Barrier::new(2),
        waiting: AtomicBool::new(false),
    };
    std::thread::scope(|scope| {
        scope.spawn(|| first(&meeting));
        scope.spawn(|| second(&meeting));
    });
}

struct Meeting {
    barrier: Barrier,
    /// Set by `second` from within the line in which it waits for `first`.
    waiting: AtomicBool,
}

impl Meeting {
    fn wait(&self) {
        self.barrier.wait();
    }

    fn wait_for_first(&self) {
        self.waiting.store(true, Ordering::SeqCst);
        self.barrier.wait();
    }

    fn until_second_waits(&self) {
        while !self.waiting.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
    }
}

#[profile_memory]
fn first(meeting: &Meeting) {
    meeting.until_second_waits();
    drop(Mapping::new(100 * MIB)); // while `second`'s line is in progress
    meeting.wait();
    meeting.wait();
    meeting.wait();
}

#[profile_memory]
fn second(meeting: &Meeting) {
    std::hint::black_box(());
    meeting.wait_for_first();
    drop(Mapping::new(50 * MIB));
    meeting.wait();
    drop(Mapping::new(10 * MIB));
    meeting.wait();
}

#[profile_memory]
fn outer() {
    let before = Mapping::new(10 * MIB); //= net 10 peak 10
    inner(); //= net 0 peak 80
    drop(Mapping::new(20 * MIB)); //= net 0 peak 20
    drop(before); //= net -10
}

#[profile_memory]
fn inner() {
    drop(Mapping::new(80 * MIB)); //= net 0 peak 80
    drop(Mapping::new(5 * MIB)); //= net 0 peak 5
}

/// Compares with what the kernel itself says within one line, where memprof does not reset it.
#[profile_memory(lines = false)]
fn marks() -> u64 {
    let _kept = Mapping::new(40 * MIB);
    high_water()
}

fn high_water() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().nth(1));
    kibibytes
        .and_then(|number| number.parse::<u64>().ok())
        .expect("a number")
        * 1024
}
