//! What the compiler says of a wrong argument, a wrong item, and of the user's own mistakes.
//!
//! After a change: `TRYBUILD=overwrite cargo test -p memprof-tests --test ui`, then read the
//! difference.

#[test]
fn messages() {
    trybuild::TestCases::new().compile_fail("ui/*.rs");
}
