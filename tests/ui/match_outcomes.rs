//! A new outcome or figure must break no program, so a match needs `_`, and nobody makes figures up.

use memprof::run::{HeapFigures, RunOutcome};

fn main() {
    let outcome = memprof::snapshot().map_or(RunOutcome::Exited, |run| run.outcome);
    match outcome {
        RunOutcome::Running | RunOutcome::Exited | RunOutcome::Recovered => {}
    }
    let _ = HeapFigures {
        allocated: 1,
        ..HeapFigures::default()
    };
}
