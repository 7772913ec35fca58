//! Threads within a call at once where nobody counts the heap: see `program.rs`.

mod program;

fn main() {
    program::run();
}
