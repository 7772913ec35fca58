//! What a run comes to on the heap, for the first lines of every report: which function and line has most alive,
//! rose highest, and allocated most that was freed again.

use memprof_model::run::{Line, Run, RunOutcome};

use crate::facts::own::{alive, own_heap};
use crate::facts::ranking::{Ranked, Why, leaders};
use crate::text::units::count;

/// What a function leads in.
#[derive(Debug, Clone)]
pub(crate) struct Finding<'a> {
    /// What it is: `"alive at the end"`.
    pub(crate) title: &'static str,
    /// How much of it.
    pub(crate) bytes: u64,
    /// In how many pieces, in words; empty where that is not known.
    pub(crate) detail: String,
    /// The function's place in the run's list.
    pub(crate) index: usize,
    /// The line that has most of it.
    pub(crate) line: Option<&'a Line>,
}

/// What there is to say of `run`, the most important first; nothing where the heap was not counted.
pub(crate) fn findings(run: &Run) -> Vec<Finding<'_>> {
    let mut found: Vec<Finding<'_>> = Vec::new();
    for leader in leaders(run) {
        let finding = match leader.why {
            Why::Alive => of_alive(run, &leader),
            Why::Peak => of_peak(&leader),
            Why::Churn => of_churn(&leader),
        };
        // What stays is not said twice.
        let same = |a: &Finding<'_>, b: &Finding<'_>| {
            let lines = [a, b].map(|finding| finding.line.map(|line| line.line));
            a.index == b.index && lines[0] == lines[1] && b.bytes <= a.bytes
        };
        found.extend(finding.filter(|new| !found.iter().any(|old| same(old, new))));
    }
    found
}

fn of_alive<'a>(run: &Run, leader: &Ranked<'a>) -> Option<Finding<'a>> {
    if let Some(alive) = alive(leader.function) {
        let blocks = match alive.blocks {
            1 => "in 1 block".to_owned(),
            blocks => format!("in {} blocks", count(blocks)),
        };
        let about = match run.origins.map_or(1, |followed| followed.one_in) {
            0 | 1 => "",
            _ => ", estimated",
        };
        return Some(finding(
            leader,
            alive_when(run.outcome),
            alive.bytes,
            blocks + about,
        ));
    }
    // What was handed to others to free is no leak: half of it at least can still be there.
    let net = own_heap(leader.function)?.net.max(0).unsigned_abs();
    (leader.bytes >= net / 2).then(|| finding(leader, "not freed by it", net, String::new()))
}

fn of_peak<'a>(leader: &Ranked<'a>) -> Option<Finding<'a>> {
    Some(finding(leader, "highest rise", leader.bytes, String::new()))
}

fn of_churn<'a>(leader: &Ranked<'a>) -> Option<Finding<'a>> {
    let heap = own_heap(leader.function)?;
    let detail = format!("in {} allocations", count(heap.allocations));
    Some(finding(leader, "churn", heap.allocated, detail))
}

fn finding<'a>(
    leader: &Ranked<'a>,
    title: &'static str,
    bytes: u64,
    detail: String,
) -> Finding<'a> {
    Finding {
        title,
        bytes,
        detail,
        index: leader.index,
        line: leader.line(),
    }
}

/// Until when what is called alive was.
pub(crate) fn alive_when(outcome: RunOutcome) -> &'static str {
    match outcome {
        RunOutcome::Running => "alive now",
        RunOutcome::Recovered => "alive when last heard of",
        _ => "alive at the end",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn said(run: &Run) -> Vec<String> {
        let say = |finding: Finding<'_>| {
            let function = &run.functions[finding.index].label;
            let line = finding.line.map_or(0, |line| line.line);
            format!(
                "{} {} {} {function} {line}",
                finding.title, finding.bytes, finding.detail
            )
        };
        findings(run).into_iter().map(say).collect()
    }

    #[test]
    fn leak_spike_and_churn_each_with_its_line() {
        assert_eq!(
            said(&fixture::leaking()),
            [
                "alive at the end 28940304 in 98\u{202f}177 blocks intern 91",
                "highest rise 41943040  render 42",
                "churn 124780544 in 1\u{202f}000\u{202f}000 allocations parse 62",
            ]
        );
    }

    #[test]
    fn without_following_blocks_it_is_what_was_not_freed() {
        let mut run = fixture::leaking();
        for line in run.functions.iter_mut().flat_map(|f| &mut f.lines) {
            line.origins = None;
        }
        run.origins = None;
        assert_eq!(said(&run)[0], "not freed by it 28940304  intern 91");
        // A tenth of it can be alive: others freed the rest.
        run.series.last_mut().unwrap().heap = Some(2_894_030);
        assert!(
            said(&run)[0].starts_with("highest rise"),
            "{:?}",
            said(&run)
        );
    }

    #[test]
    fn what_stays_is_not_said_a_second_time_as_a_rise() {
        let mut run = fixture::leaking();
        run.functions.retain(|f| f.label == "intern");
        assert_eq!(said(&run).len(), 1, "{:?}", said(&run));
    }

    #[test]
    fn nothing_is_said_where_nothing_was_counted() {
        assert!(findings(&fixture::inverse()).is_empty());
    }
}
