//! The program without the counting allocator.

mod program;

fn main() {
    program::main();
}
