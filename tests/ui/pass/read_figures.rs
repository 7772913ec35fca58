//! What a program does with a run: it reads fields, and its matches have an answer for what is new.

use memprof::run::{Call, Outcome, Run, RunOutcome};

fn highest(run: &Run) -> u64 {
    let peaks = run.functions.iter().map(|function| function.peak_rss);
    peaks.max().unwrap_or(run.process.peak_rss)
}

fn ended(run: &Run) -> &'static str {
    match run.outcome {
        RunOutcome::Exited => "by itself",
        RunOutcome::Recovered => "killed",
        _ => "not yet",
    }
}

fn returned(call: &Call) -> bool {
    let Call { outcome, net_rss, .. } = call;
    *outcome == Outcome::Returned && *net_rss >= 0
}

fn main() {
    if let Some(run) = memprof::snapshot() {
        let calls = run.functions.iter().flat_map(|function| &function.call_records);
        println!("{} {} {}", highest(&run), ended(&run), calls.filter(|call| returned(call)).count());
    }
}
