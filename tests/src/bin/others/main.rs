//! Threads beside each other where nobody counts the heap: see `program.rs`.

mod program;

fn main() {
    program::run();
}
