//! A program that works until it is killed, and says after each step how far it is.
//!
//! - `busy steps`: two threads at work; each step prints its number and the nanoseconds since the start
//! - `busy grow MIB`: keeps more and more memory, MIB at most, and prints how much, and when
//! - `busy brim`: keeps memory until it is refused more, works on without it, and ends with code 7
//! - `busy wait [MIB]`: is in the middle of a call when `ready` is printed, and stays there

use std::io::Write;
use std::time::{Duration, Instant};

use memprof::profile_memory;
use memprof_tests::MIB;
use memprof_tests::mapping::Mapping;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["steps"] => steps(),
        ["grow", mebibytes] => grow(mebibytes.parse().expect("a number")),
        ["brim"] => brim(),
        ["wait"] => wait(8),
        ["wait", mebibytes] => wait(mebibytes.parse().expect("a number")),
        _ => panic!("unknown arguments {arguments:?}"),
    }
}

fn steps() {
    let start = Instant::now();
    std::thread::spawn(|| {
        loop {
            beside();
        }
    });
    for number in 1_u64.. {
        step(number);
        say(&format!("{number} {}", start.elapsed().as_nanos()));
    }
}

#[profile_memory]
fn step(number: u64) -> u64 {
    let mapping = Mapping::new(MIB);
    let words: Vec<String> = (0..200).map(|n| format!("{n} {number}")).collect();
    let bytes = words.iter().map(|word| word.len() as u64).sum();
    drop(mapping);
    std::thread::sleep(Duration::from_micros(500));
    bytes
}

#[profile_memory(interval_ms = 1)]
fn beside() {
    let _mapping = Mapping::new(4 * MIB);
    std::thread::sleep(Duration::from_millis(3));
}

#[profile_memory(interval_ms = 1)]
fn grow(mebibytes: usize) {
    let start = Instant::now();
    let mut kept = Vec::new();
    for number in 1..=mebibytes {
        kept.push(vec![1_u8; MIB]);
        say(&format!("{number} {}", start.elapsed().as_nanos()));
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn brim() {
    let kept = fill();
    let start = Instant::now();
    let mut calls = 0;
    while start.elapsed() < Duration::from_millis(1_500) {
        calls += touch(&kept);
    }
    say(&format!("refused, and {calls} calls since"));
    // So little is left that nothing may be asked for any more.
    std::mem::forget(kept);
    std::process::exit(7);
}

/// All that there is, but for less than a quarter of a mebibyte.
#[profile_memory(interval_ms = 1)]
fn fill() -> Vec<Vec<u8>> {
    let mut kept = Vec::with_capacity(100_000);
    for size in [MIB, MIB / 4] {
        let mut block = Vec::<u8>::new();
        while block.try_reserve_exact(size).is_ok() {
            kept.push(std::mem::take(&mut block));
        }
    }
    kept
}

#[profile_memory(interval_ms = 1)]
fn touch(kept: &[Vec<u8>]) -> u64 {
    std::thread::sleep(Duration::from_millis(1));
    u64::from(!kept.is_empty())
}

#[profile_memory]
fn wait(mebibytes: usize) {
    let _mapping = Mapping::new(mebibytes * MIB);
    say("ready");
    std::thread::sleep(Duration::from_secs(600));
}

/// One line on stdout, at once.
fn say(line: &str) {
    let mut stdout = std::io::stdout().lock();
    // Whoever reads it may be gone; then there is nobody to tell.
    let _ = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
}
