//! What the compiler says of a wrong argument, a wrong item, and of the user's own mistakes; and what it accepts.
//!
//! After a change: `TRYBUILD=overwrite cargo test -p memprof-tests --test ui`, then read the
//! difference.

#[test]
fn messages() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("ui/*.rs");
    cases.pass("ui/pass/*.rs");
}
