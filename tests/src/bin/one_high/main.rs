//! Of 100,001 short calls one is high. The heap is not counted.

mod program;

fn main() {
    program::run();
}
