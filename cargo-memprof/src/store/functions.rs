//! Which functions of a run a pattern means.

use memprof_model::run::{FunctionProfile, Run};
use memprof_report::internal::{Names, order};

use crate::failure::{Failure, Outcome};

/// The most names that a failure lists.
const NAMED: usize = 8;

/// The functions that `pattern` means: those whose path or label is just that, otherwise those whose
/// path or label contains it, or the name by which reports call them. In the order of all reports.
///
/// # Errors
/// When there is none; the message names those that there are.
pub(crate) fn matching<'run>(run: &'run Run, pattern: &str) -> Outcome<Vec<&'run FunctionProfile>> {
    let names = Names::of_run(run);
    let called = |f: &'run FunctionProfile| [f.name.as_str(), f.label.as_str()];
    let exact = |f: &&'run FunctionProfile| called(f).contains(&pattern) || names.of(f) == pattern;
    let within = |f: &&'run FunctionProfile| {
        called(f).iter().any(|name| name.contains(pattern)) || names.of(f).contains(pattern)
    };
    let order = order(run);
    let functions = || order.iter().filter_map(|&place| run.functions.get(place));
    let mut found: Vec<&FunctionProfile> = functions().filter(exact).collect();
    if found.is_empty() {
        found = functions().filter(within).collect();
    }
    if found.is_empty() {
        return Err(nothing_matches(run, pattern));
    }
    Ok(found)
}

fn nothing_matches(run: &Run, pattern: &str) -> Failure {
    let mut names: Vec<_> = run.functions.iter().map(|f| f.name.as_str()).collect();
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    let names = match (names.is_empty(), more) {
        (true, _) => "the run has no functions".to_owned(),
        (false, 0) => format!("the run has {}", names.join(", ")),
        (false, more) => format!("the run has {} and {more} more", names.join(", ")),
    };
    Failure::new(
        format!("find a function whose path contains {pattern:?}"),
        names,
        "name a part of a path, `parse` or `demo::inverse`",
    )
}
