//! Peaks that samples would miss or mix up.

use std::sync::Barrier;
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

/// 300 MiB that live for about a millisecond, right after a sample was taken.
#[profile_memory(interval_ms = 1000)]
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
/// round: each call's peak is that of the process while it ran.
fn two_threads() {
    let barrier = Barrier::new(2);
    std::thread::scope(|scope| {
        scope.spawn(|| first(&barrier));
        scope.spawn(|| second(&barrier));
    });
}

#[profile_memory]
fn first(barrier: &Barrier) {
    barrier.wait();
    drop(Mapping::new(100 * MIB)); // raises `second`'s line in progress
    barrier.wait();
    barrier.wait();
    barrier.wait();
}

#[profile_memory]
fn second(barrier: &Barrier) {
    barrier.wait();
    barrier.wait();
    drop(Mapping::new(50 * MIB));
    barrier.wait();
    drop(Mapping::new(10 * MIB));
    barrier.wait();
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
