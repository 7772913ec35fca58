//! The table of results, in Markdown.

use crate::cargo::{Outcome, Suite};
use crate::trial::Trial;

/// Prints a row as soon as its crate is through, and the sums at last.
#[derive(Default)]
pub(crate) struct Table {
    crates: usize,
    functions: usize,
    before: Passed,
    after: Passed,
}

/// How many of how many tests.
#[derive(Default)]
struct Passed {
    passed: usize,
    tests: usize,
}

impl Table {
    pub(crate) fn begin() -> Table {
        println!("| crate | version | style | functions | passed before | passed after | note |");
        println!("|---|---|---|--:|--:|--:|---|");
        Table::default()
    }

    pub(crate) fn add(&mut self, trial: &Trial) {
        let (before, after) = (Passed::of(&trial.before), Passed::of(&trial.after));
        println!(
            "| {} | {} | {} | {} | {} | {} | {} |",
            trial.entry.name,
            trial.version,
            trial.entry.style,
            trial.functions,
            before.cell(),
            after.cell(),
            note(trial)
        );
        self.crates += 1;
        self.functions += trial.functions;
        self.before.add(&before);
        self.after.add(&after);
    }

    pub(crate) fn end(self) {
        println!(
            "| {} crates | | | {} | {} | {} | |",
            self.crates,
            self.functions,
            self.before.cell(),
            self.after.cell()
        );
    }
}

impl Passed {
    fn of(outcome: &Outcome) -> Passed {
        let outcomes = outcome.tests.values();
        // An ignored test is none that was run.
        let ran = outcomes.filter(|outcome| !outcome.starts_with("ignored"));
        let ran: Vec<_> = ran.collect();
        Passed {
            passed: ran.iter().filter(|outcome| **outcome == "ok").count(),
            tests: ran.len(),
        }
    }

    fn add(&mut self, other: &Passed) {
        self.passed += other.passed;
        self.tests += other.tests;
    }

    fn cell(&self) -> String {
        match self {
            Passed { tests: 0, .. } => "–".to_owned(),
            Passed { passed, tests } => format!("{passed} of {tests}"),
        }
    }
}

fn note(trial: &Trial) -> String {
    let tests = match trial.suite {
        Suite::All => None,
        Suite::Library => Some("only the tests inside of the library compile as published"),
        Suite::Nothing => Some("compiled only: its tests do not compile as published"),
    };
    let hot = trial.entry.hot.then_some("hot");
    let notes = tests.into_iter().chain(hot);
    let mut notes: Vec<String> = notes.map(str::to_owned).collect();
    notes.extend(trial.explanations());
    match trial.unexplained().len() {
        0 => {}
        differences => notes.push(format!("**{differences} differences**")),
    }
    notes.join("; ")
}
