//! A plugin as a program loads it, with a copy of memprof of its own.

use memprof::profile_memory;

/// Takes and gives back 40 MiB, ten times.
#[profile_memory]
fn inside() {
    for _ in 0..10 {
        let passing = vec![1_u8; 40 << 20];
        drop(passing);
    }
}

/// What the program calls.
#[unsafe(no_mangle)]
pub extern "C" fn work() {
    inside();
}
