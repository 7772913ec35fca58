//! A small annotated program to try `cargo memprof` on; its tests run it, too.
//!
//!     cargo memprof run -p cargo-memprof --example words -- 200000
//!
//! Arguments: how many lines of text (200,000), and how it ends: `return`, `exit=<code>`, `abort`, or
//! `wait=<seconds>` inside of an annotated call.

use std::time::{Duration, Instant};

use memprof::profile_memory;

#[profile_memory]
fn lengths(text: &str) -> Vec<usize> {
    let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    let mut lengths: Vec<usize> = words.iter().map(String::len).collect();
    lengths.sort_unstable();
    lengths
}

#[profile_memory]
fn text(lines: usize) -> String {
    "one attribute tells what memory did ".repeat(lines)
}

#[profile_memory]
fn wait(seconds: f64) {
    let until = Instant::now() + Duration::from_secs_f64(seconds);
    let mut kept = Vec::new();
    while Instant::now() < until {
        kept.push(vec![1_u8; 64 << 10]);
        std::thread::sleep(Duration::from_millis(5));
    }
    drop(kept);
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let lines = arguments
        .next()
        .map_or(200_000, |n| n.parse().expect("a number of lines"));
    println!("{} words", lengths(&text(lines)).len());
    let ending = arguments.next().unwrap_or_default();
    match ending.split_once('=') {
        Some(("exit", code)) => std::process::exit(code.parse().expect("an exit code")),
        Some(("wait", seconds)) => wait(seconds.parse().expect("a number of seconds")),
        _ if ending == "abort" => std::process::abort(),
        _ => {}
    }
}

#[test]
fn words_have_lengths() {
    assert_eq!(lengths("three short words"), [5, 5, 5]);
}
