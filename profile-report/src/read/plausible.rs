//! Whether what refers to something in a run that was read from a file refers to what is there. Renderers
//! count on it. How large numbers are is looked at in the text itself (`numbers.rs`).

use memprof_model::run::{Call, FunctionProfile, Run, SCHEMA};

/// What is wrong with `run`, if anything.
pub(super) fn check(run: &Run) -> Result<(), String> {
    if run.schema != SCHEMA {
        return Err(format!("its schema is {:?}", run.schema));
    }
    run.functions.iter().try_for_each(|function| {
        check_function(function).map_err(|found| format!("function {:?}: {found}", function.name))
    })
}

fn check_function(function: &FunctionProfile) -> Result<(), String> {
    if let Some(at) = function.peak_at {
        ordered(at.from_ns, at.to_ns, "its peak")?;
    }
    let lines = u32::try_from(function.source.lines().count()).ok();
    if lines
        .and_then(|lines| function.source_line.checked_add(lines))
        .is_none()
    {
        return Err("its line numbers are too large".to_owned());
    }
    check_groups(function)?;
    function.call_records.iter().try_for_each(check_call)?;
    match function.series_call {
        Some(call) if call >= function.call_records.len() => {
            Err(format!("its series is of call {call}, which is not there"))
        }
        _ => Ok(()),
    }
}

/// Every line of a group says so, and every group that is said to be one has lines. A line is in one at most, since
/// it has room for one.
fn check_groups(function: &FunctionProfile) -> Result<(), String> {
    let mut lines = function.lines.iter();
    if let Some(line) = lines.find(|line| line.group.is_some_and(|at| at >= function.groups.len()))
    {
        let number = line.line;
        return Err(format!("line {number} is in a group that is not there"));
    }
    let has_line = |at: usize| function.lines.iter().any(|line| line.group == Some(at));
    match (0..function.groups.len()).find(|&at| !has_line(at)) {
        Some(at) => Err(format!("its group {at} has no line")),
        None => Ok(()),
    }
}

fn check_call(call: &Call) -> Result<(), String> {
    ordered(call.start_ns, call.end_ns, "a call")
}

fn ordered(start: u64, end: u64, what: &str) -> Result<(), String> {
    if start > end {
        return Err(format!(
            "{what} ends at {end} ns, before its start at {start} ns"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use memprof_model::run::LineGroup;

    #[test]
    fn recorded_runs_are() {
        for (name, run) in fixture::all() {
            assert_eq!(check(&run), Ok(()), "{name}");
        }
    }

    #[test]
    fn what_cannot_be_is_named() {
        let found = |change: &dyn Fn(&mut FunctionProfile)| {
            let mut run = fixture::heap();
            change(&mut run.functions[1]);
            check(&run).unwrap_err()
        };
        let call = |change: &dyn Fn(&mut Call)| found(&|f| change(&mut f.call_records[0]));
        for (said, expected) in [
            (
                found(&|f| f.series_call = Some(3)),
                "its series is of call 3",
            ),
            (found(&|f| f.source_line = u32::MAX), "line numbers"),
            (
                found(&|f| f.lines[1].group = Some(0)),
                "is in a group that is not there",
            ),
            (
                found(&|f| f.groups.push(LineGroup::default())),
                "its group 0 has no line",
            ),
            (
                call(&|c| (c.start_ns, c.end_ns) = (2, 1)),
                "ends at 1 ns, before",
            ),
        ] {
            assert!(said.contains("load") && said.contains(expected), "{said}");
        }
    }
}
