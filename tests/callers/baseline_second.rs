//! A second test program of the crate `baseline`, which starts other programs.

use std::process::Command;

#[test]
fn other_words() {
    assert_eq!(baseline::lengths("now three words").len(), 3);
}

/// The first one counts most.
#[test]
fn words_of_a_program() {
    for words in ["5000", "10", "3000"] {
        let counted = Command::new(env!("CARGO_BIN_EXE_counter")).arg(words).status();
        assert!(counted.expect("started").success(), "{words}");
    }
}
