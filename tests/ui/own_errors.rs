//! The user's own mistakes are told at the user's own code.

use memprof::profile_memory;

#[profile_memory]
fn mismatch() -> u32 {
    let text = String::new();
    text
}

#[profile_memory]
fn moved() -> String {
    let text = String::new();
    drop(text);
    text
}

#[profile_memory]
fn borrowed<'a>() -> &'a str {
    let text = String::new();
    for _ in 0..3 {
        println!("{text}");
    }
    &text
}

fn main() {
    mismatch();
    moved();
    borrowed();
}
