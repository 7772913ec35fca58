//! A signal comes every 200 µs, and its handler calls an annotated function.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use memprof::profile_memory;

/// How often the handler has called its function.
static HANDLED: AtomicU64 = AtomicU64::new(0);

pub(crate) fn main(how: &str) {
    let time = match how {
        "short" => Duration::from_millis(300),
        "long" => Duration::from_secs(20),
        other => panic!("unknown length {other:?}"),
    };
    // Before the first annotated call, so that some come while recording begins.
    begin();
    let until = Instant::now() + time;
    let mut calls = 0_u64;
    while Instant::now() < until {
        for _ in 0..100 {
            calls += 1;
            std::hint::black_box(work(calls));
        }
    }
    end();
    println!("work {calls} handle {}", HANDLED.load(Relaxed));
}

fn begin() {
    let handler: extern "C" fn(libc::c_int) = on_signal;
    // SAFETY: the handler calls nothing that is not allowed in one.
    unsafe { libc::signal(libc::SIGALRM, handler as libc::sighandler_t) };
    every(200);
}

fn end() {
    every(0);
}

/// From now on a signal comes every so many microseconds; 0 for never.
fn every(microseconds: libc::suseconds_t) {
    let interval = libc::timeval {
        tv_sec: 0,
        tv_usec: microseconds,
    };
    let timer = libc::itimerval {
        it_interval: interval,
        it_value: interval,
    };
    // SAFETY: `timer` is valid, and the value before is not asked for.
    unsafe { libc::setitimer(libc::ITIMER_REAL, &raw const timer, std::ptr::null_mut()) };
}

extern "C" fn on_signal(_: libc::c_int) {
    HANDLED.fetch_add(1, Relaxed);
    std::hint::black_box(handle(1));
}

#[profile_memory]
fn handle(n: u64) -> u64 {
    let twice = std::hint::black_box(n) * 2;
    twice + 1
}

#[profile_memory]
fn work(n: u64) -> u64 {
    let mut sum = 0;
    for i in 0..n % 5 {
        sum += inner(i);
    }
    sum
}

#[profile_memory]
fn inner(n: u64) -> u64 {
    std::hint::black_box(n) + 1
}
