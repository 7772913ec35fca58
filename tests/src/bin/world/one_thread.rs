//! A namespace of users, which the kernel gives to a process with one thread only, after an annotated call. Then many
//! short calls, and one that is long.

use std::hint::black_box;
use std::time::{Duration, Instant};

use memprof::profile_memory;

/// `how`: with short calls for 6 s in place of 1.2 if that is `patient`, and until the program is killed if it is `long`.
pub(crate) fn main(how: &str) {
    keeps(3);
    // SAFETY: changes what this process may do, and no memory.
    let answer = unsafe { libc::unshare(libc::CLONE_NEWUSER) };
    let error = std::io::Error::last_os_error().raw_os_error();
    let said = match (answer, error) {
        (0, _) => "one",
        (_, Some(libc::EINVAL)) => "several",
        _ => "not allowed",
    };
    let threads = std::fs::read_dir("/proc/self/task").expect("there is one");
    let threads = threads.count();
    let time_ms = if how == "patient" { 6_000 } else { 1_200 };
    let calls = many_calls(Duration::from_millis(time_ms));
    let grows = grows(Duration::from_millis(700));
    println!("{said} {threads} {calls} {grows}");
    if how == "long" {
        many_calls(Duration::MAX);
    }
}

/// For so long a time. Gives their number.
fn many_calls(time: Duration) -> u64 {
    let (began, mut calls) = (Instant::now(), 0);
    while began.elapsed() < time {
        short();
        calls += 1;
    }
    calls
}

#[profile_memory]
fn keeps(blocks: usize) {
    let mut kept = Vec::new();
    for _ in 0..blocks {
        kept.push(vec![1_u8; 1 << 10]);
    }
    std::mem::forget(kept);
}

#[profile_memory]
fn short() {
    drop(black_box(Box::new([1_u8; 100])));
}

/// Half of the time nothing, and then 8 MiB. Gives the hits of its loop.
#[profile_memory]
fn grows(time: Duration) -> u64 {
    let (began, mut hits) = (Instant::now(), 0);
    while began.elapsed() < time / 2 {
        hits += 1;
    }
    let kept = black_box(vec![1_u8; 8 << 20]);
    std::mem::forget(kept);
    while began.elapsed() < time {
        hits += 1;
    }
    hits
}
