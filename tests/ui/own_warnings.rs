//! The user's own warnings stay.
#![deny(warnings)]

use memprof::profile_memory;

#[profile_memory]
fn unused(parameter: u32) {
    let variable = 1;
    let mut mutable = 2;
    println!("{mutable}");
}

#[profile_memory]
fn dead() -> u32 {
    return 1;
    println!("dead");
}

#[profile_memory]
fn dead_after_a_call() {
    std::process::exit(1);
    println!("dead");
}

fn main() {
    unused(1);
    dead();
    dead_after_a_call();
}
