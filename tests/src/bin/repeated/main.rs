//! A program that is run again and again, without the counting allocator: see `program`.

mod program;

fn main() {
    program::run();
}
