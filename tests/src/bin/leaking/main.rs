//! A leak, a spike and churn, without the counting allocator: see `program`.

mod program;

fn main() {
    program::run();
}
