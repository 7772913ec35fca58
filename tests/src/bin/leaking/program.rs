//! A program with three faults, each in a function of its own: 27 MiB in small blocks that nobody frees, 40 MiB for the
//! length of a line, and 120 MiB that come and go a few bytes at a time.

use std::hint::black_box;
use std::sync::Mutex;

use memprof::profile_memory;

/// Nobody empties it.
static NAMES: Mutex<Vec<String>> = Mutex::new(Vec::new());

const WORDS: usize = 98_304;

/// All of it, from `main`.
#[profile_memory]
pub(crate) fn run() {
    let text = "one two three four five six seven eight ".repeat(WORDS / 8);
    NAMES.lock().expect("one thread").reserve_exact(WORDS);
    for word in text.split_whitespace() {
        if normalized(word).len() > 2 {
            intern(word);
        }
    }
    println!(
        "{} {}",
        NAMES.lock().expect("one thread").len(),
        picture(10_240)
    );
}

#[profile_memory]
fn intern(word: &str) {
    let name = [word, &"-".repeat(288)[word.len()..]].concat();
    NAMES.lock().expect("one thread").push(name);
}

#[profile_memory]
fn normalized(word: &str) -> String {
    let padded = black_box(vec![b' '; 1_280]);
    let lower = word.to_lowercase();
    drop(padded);
    lower
}

#[profile_memory]
fn picture(rows: usize) -> u64 {
    let sum = vec![1_u8; rows * 4096]
        .iter()
        .map(|&byte| u64::from(byte))
        .sum();
    black_box(sum)
}
