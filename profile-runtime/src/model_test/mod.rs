//! The core against a simple model: random sequences of what programs do, on recorders that read a scripted
//! operating system.
//!
//! A [`process`](driver::Process) is a recorder with some threads and sites. Each sequence takes it through
//! random [`steps`] until no call is left; the [`truth`] is kept beside it by the simplest means. Then the run
//! that a snapshot gives is held against the truth, and against the invariants that every run has.
//!
//! While every reading is due (*close* sequences) the truth knows RSS line by line, to the byte. While
//! readings are dear and seldom (*hasty* sequences) calls are counted, and lines run in stretches: there the
//! sums have to agree, and all that is counted without readings is exact.

mod check;
mod driver;
mod steps;
mod truth;

use driver::{Pace, Process};

use crate::os::own_process::alone;

/// Sequences that a process goes through: sums grow from one to the next.
const SEQUENCES: u64 = 50;

/// Takes processes through sequences; of each the seed is known, so that what was found can be found again.
fn explore(pace: Pace, processes: u64) {
    for seed in 0..processes {
        let mut process = Process::new(pace, seed);
        for sequence in 0..SEQUENCES {
            let steps = process.go_through();
            if let Err(found) = process.check() {
                panic!("{pace:?}, seed {seed}, sequence {sequence}: {found}\n{steps}");
            }
        }
    }
}

#[test]
fn core_agrees_with_the_model_while_every_reading_is_due() {
    alone(|| explore(Pace::Close, 100));
}

#[test]
fn core_agrees_with_the_model_while_readings_are_dear() {
    alone(|| explore(Pace::Hasty, 100));
}
