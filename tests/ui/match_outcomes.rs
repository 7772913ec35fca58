//! A new outcome breaks no program, so a match needs an answer for it.

use memprof::run::RunOutcome;

fn main() {
    let outcome = memprof::snapshot().map_or(RunOutcome::Exited, |run| run.outcome);
    match outcome {
        RunOutcome::Running | RunOutcome::Exited | RunOutcome::Recovered => {}
    }
}
