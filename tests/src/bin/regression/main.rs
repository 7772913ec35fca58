//! A function of thirty lines in two versions, `regression before` and `regression after`: the second
//! stands further down, and one of its lines needs a MiB more.

mod after;
mod before;

use memprof_tests::mapping::Mapping;

const KIB: usize = 1 << 10;

fn main() {
    let parts = match std::env::args().nth(1).as_deref() {
        Some("before") => before::parse(),
        Some("after") => after::parse() + usize::from(after::is_prime(4)),
        other => panic!("unknown argument {other:?}"),
    };
    assert_eq!(parts, 22);
}

fn count(mappings: &[&Mapping]) -> usize {
    mappings.len()
}
