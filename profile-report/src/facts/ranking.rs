//! The order in which functions are shown, and the line of each to look at: one place decides it for all reports.
//!
//! Where the heap is counted, it decides; otherwise RSS. Functions rank by what they did themselves, so those
//! that only call others sink. First come the functions that lead in something: in what is alive, in the highest
//! rise, and in what was allocated and freed again. So a leak, a spike and churn are each among the first three.
//! All others follow by the larger of alive and rise.

use std::cmp::Reverse;

use memprof_model::run::{FunctionProfile, Line, Run};

use super::own::{
    alive, counts_heap, group_of, had_itself, has_own_rss, live_at_end, own_heap, own_line_heap,
    own_peaks_rss,
};

/// With less than this nobody leads: allocators and kernels move single pages on their own.
pub(crate) const NOISE: u64 = 64 << 10;

/// Why a function is worth a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// What it allocated is alive, or RSS stayed larger.
    Alive,
    /// It rose high.
    Peak,
    /// It allocated much that was freed again.
    Churn,
}

impl Why {
    const ALL: [Why; 3] = [Why::Alive, Why::Peak, Why::Churn];
}

/// A function at its place in the order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ranked<'a> {
    /// Its place in the run's list.
    pub(crate) index: usize,
    pub(crate) function: &'a FunctionProfile,
    pub(crate) why: Why,
    /// The larger of what is alive and the rise, by which it ranks.
    pub(crate) bytes: u64,
}

impl<'a> Ranked<'a> {
    /// The line that has most of it.
    pub(crate) fn line(&self) -> Option<&'a Line> {
        line_of(self.function, self.why).or_else(|| highest_call(self.function))
    }
}

/// The functions of `run`, the most important first.
pub(crate) fn ranked(run: &Run) -> Vec<Ranked<'_>> {
    let amounts = amounts(run);
    let leads = Leads::among(&amounts);
    let mut order: Vec<usize> = (0..amounts.len()).collect();
    order.sort_by_key(|&i| {
        let time = run.functions[i].time_ns;
        let follows = !leads.0.contains(&Some(i));
        (
            follows,
            Reverse((amounts[i].score(), amounts[i].churn, time)),
        )
    });
    let ranked = |index: usize| Ranked {
        index,
        function: &run.functions[index],
        why: match amounts[index].why() {
            _ if leads.only_by_churn(index) => Why::Churn,
            why => why,
        },
        bytes: amounts[index].score(),
    };
    order.into_iter().map(ranked).collect()
}

/// The places of `run`'s functions in the order in which all reports show them.
#[must_use]
pub fn order(run: &Run) -> Vec<usize> {
    ranked(run).into_iter().map(|f| f.index).collect()
}

/// The functions that lead in something on the heap, each with what it leads in: what is alive first, then the
/// highest rise, then churn. Nothing where the heap was not counted.
pub(crate) fn leaders(run: &Run) -> Vec<Ranked<'_>> {
    if !counts_heap(run) {
        return Vec::new();
    }
    let amounts = amounts(run);
    let leads = Leads::among(&amounts).0.into_iter();
    let leader = |(why, index): (Why, Option<usize>)| {
        let index = index?;
        Some(Ranked {
            index,
            function: run.functions.get(index)?,
            why,
            bytes: amounts[index].of(why),
        })
    };
    Why::ALL.into_iter().zip(leads).filter_map(leader).collect()
}

/// The line of `function` that has most of what the function is worth a look for.
#[must_use]
pub fn line_to_look_at(function: &FunctionProfile) -> Option<&Line> {
    let amounts = match function.heap {
        Some(_) => on_heap(function, None),
        None => Amounts {
            alive: size(function.self_net_rss),
            peak: function.peak_rss,
            churn: 0,
        },
    };
    line_of(function, amounts.why()).or_else(|| highest_call(function))
}

/// Of a function that did nothing itself the line that called what rose most.
fn highest_call(function: &FunctionProfile) -> Option<&Line> {
    let peak = |line: &Line| line.heap.map_or(line.peak_rss, |heap| heap.peak);
    let lines = function.lines.iter().filter(|line| peak(line) > 0);
    lines.rev().max_by_key(|line| peak(line))
}

/// The line that brought most of the function's highest rise of the heap.
pub(crate) fn highest_on_heap(function: &FunctionProfile) -> Option<&Line> {
    function.heap.and(line_of(function, Why::Peak))
}

/// Of each of [`Why::ALL`] the function that has most, by its place.
struct Leads([Option<usize>; 3]);

impl Leads {
    fn among(amounts: &[Amounts]) -> Self {
        Self(Why::ALL.map(|why| {
            let all = amounts.iter().map(|amount| amount.of(why)).enumerate();
            let enough = all.filter(|(_, bytes)| *bytes >= NOISE);
            // Of equal ones the first.
            let most = enough.max_by_key(|&(i, bytes)| (bytes, Reverse(i)));
            most.map(|(i, _)| i)
        }))
    }

    fn only_by_churn(&self, index: usize) -> bool {
        let [alive, peak, churn] = self.0.map(|leader| leader == Some(index));
        churn && !alive && !peak
    }
}

/// What a function ranks by, bytes.
#[derive(Debug, Clone, Copy)]
struct Amounts {
    alive: u64,
    peak: u64,
    churn: u64,
}

impl Amounts {
    fn of(self, why: Why) -> u64 {
        match why {
            Why::Alive => self.alive,
            Why::Peak => self.peak,
            Why::Churn => self.churn,
        }
    }

    fn score(self) -> u64 {
        self.alive.max(self.peak)
    }

    /// What matters most about a function by itself. What stays matters more than what passes.
    fn why(self) -> Why {
        if self.alive >= NOISE && self.alive >= self.peak / 2 {
            Why::Alive
        } else if self.peak > 0 || self.churn == 0 {
            Why::Peak
        } else {
            Why::Churn
        }
    }
}

/// Of each function of the run.
fn amounts(run: &Run) -> Vec<Amounts> {
    if counts_heap(run) {
        let most = live_at_end(run);
        return run.functions.iter().map(|f| on_heap(f, most)).collect();
    }
    let own = has_own_rss(run);
    let functions = run.functions.iter().zip(own_peaks_rss(run));
    let of = |(function, peak): (&FunctionProfile, u64)| Amounts {
        alive: size(if own {
            function.self_net_rss
        } else {
            function.net_rss
        }),
        peak,
        churn: 0,
    };
    functions.map(of).collect()
}

/// `most` is what the process has alive: where blocks are not followed, what a function did not free may have
/// been freed by another.
fn on_heap(function: &FunctionProfile, most: Option<u64>) -> Amounts {
    let heap = own_heap(function).unwrap_or_default();
    let not_freed = size(heap.net).min(most.unwrap_or(u64::MAX));
    let alive = alive(function).map_or(not_freed, |alive| alive.bytes);
    let held = heap.peak.max(alive);
    let passed = heap.allocated.saturating_sub(held);
    Amounts {
        alive,
        peak: heap.peak,
        // Who allocates once what it holds does not churn.
        churn: if passed >= held { passed } else { 0 },
    }
}

fn line_of(function: &FunctionProfile, why: Why) -> Option<&Line> {
    let on_heap = function.heap.is_some();
    let amount = |line: &Line| -> u64 {
        let heap = own_line_heap(line).unwrap_or_default();
        match why {
            Why::Alive if on_heap => {
                let alive = line.origins.map(|origins| origins.alive_bytes);
                alive.unwrap_or(size(heap.net))
            }
            // The highest rise is often met at a later line, which only put a little on top of it.
            Why::Peak if on_heap => had_itself(line).min(heap.peak),
            Why::Churn => heap.allocated,
            Why::Alive => rss_kept(function, line),
            Why::Peak => line
                .peak_rss
                .max(group_of(function, line).map_or(0, |g| g.peak_rss)),
        }
    };
    let lines = function.lines.iter().filter(|line| amount(line) > 0);
    // Of equal ones the first: it is the one that a reader meets.
    lines.rev().max_by_key(|line| amount(line))
}

/// What the line kept of RSS, itself or with the others of its group.
fn rss_kept(function: &FunctionProfile, line: &Line) -> u64 {
    let together = group_of(function, line).map_or(0, |group| size(group.self_net_rss));
    let alone = if line.self_net_rss == 0 && function.self_net_rss == 0 {
        line.net_rss
    } else {
        line.self_net_rss
    };
    size(alone).max(together)
}

fn size(change: i64) -> u64 {
    change.max(0).unsigned_abs()
}

#[cfg(test)]
mod tests {
    use memprof_model::data;
    use memprof_model::run::HeapFigures;

    use super::*;
    use crate::fixture;

    fn labels<'a>(ranked: &[Ranked<'a>]) -> Vec<&'a str> {
        ranked.iter().map(|r| &r.function.label[..]).collect()
    }

    /// A list of 54 bytes, and then one of 9 while the first is alive: the peak of 63 is met at the second line.
    #[test]
    fn a_rise_is_the_lines_that_brought_most_of_it_wherever_it_was_met() {
        let mut function = fixture::leaking().functions.remove(0);
        function.lines.truncate(2);
        let brought = [(54, 54), (9, 63)];
        for (line, (own_rise, met)) in function.lines.iter_mut().zip(brought) {
            let heap = data!(HeapFigures {
                allocated: own_rise,
                net: own_rise as i64,
                peak: own_rise,
                ..HeapFigures::default()
            });
            let of_call = data!(HeapFigures { peak: met, ..heap });
            (line.heap, line.self_heap) = (Some(heap), Some(of_call));
        }
        let found = highest_on_heap(&function).expect("one of them");
        assert_eq!(found.line, function.lines[0].line);
    }

    #[test]
    fn a_leak_a_spike_and_churn_come_first_each_with_its_line() {
        let run = fixture::leaking();
        let ranked = ranked(&run);
        assert_eq!(labels(&ranked)[..3], ["render", "intern", "parse"]);
        let lines = ranked[..3].iter().map(|r| r.line().unwrap().source.trim());
        assert_eq!(
            lines.collect::<Vec<_>>(),
            [
                "let page = vec![0; rows * 4096];",
                "names.push(name.to_owned());",
                "let lower = word.to_lowercase();"
            ]
        );
        assert_eq!(
            ranked[..3].iter().map(|r| r.why).collect::<Vec<_>>(),
            [Why::Peak, Why::Alive, Why::Churn]
        );
    }

    #[test]
    fn functions_that_only_call_others_sink() {
        let run = fixture::leaking();
        let order = ranked(&run);
        // Their inclusive figures are the highest of all.
        let highest = run.functions.iter().map(|f| f.heap.unwrap().peak).max();
        assert_eq!(run.functions[0].heap.map(|heap| heap.peak), highest);
        let last = labels(&order).split_off(11);
        assert_eq!(last, ["main", "run", "run", "run", "small_0"]);
        assert!(order[11..].iter().all(|ranked| ranked.bytes == 0));
        // The line to look at is then that of the call that rose most.
        let line = order[11].line().unwrap();
        assert_eq!(line.source.trim(), "server::run(&state);");
    }

    #[test]
    fn who_leads_is_told_with_what_is_alive_first() {
        let run = fixture::leaking();
        let found = leaders(&run);
        assert_eq!(labels(&found), ["intern", "render", "parse"]);
        assert_eq!(
            found.iter().map(|r| r.bytes).collect::<Vec<_>>(),
            [28_940_304, 40 << 20, (119 << 20) - 65_536]
        );
        assert!(leaders(&fixture::nested()).is_empty());
    }

    #[test]
    fn what_others_freed_is_no_leak_where_blocks_are_not_followed() {
        let mut run = fixture::leaking();
        for line in run.functions.iter_mut().flat_map(|f| &mut f.lines) {
            line.origins = None;
        }
        assert_eq!(labels(&leaders(&run))[0], "intern");
        // At the end the process has next to nothing alive: the function's callers freed it.
        run.series.last_mut().unwrap().heap = Some(1_000);
        assert_eq!(labels(&leaders(&run)), ["render", "parse"]);
    }

    #[test]
    fn without_the_allocator_own_rss_decides() {
        // The caller's peak is higher, by the 20 MiB that its callees had kept.
        let run = fixture::nested();
        assert_eq!(labels(&ranked(&run)), ["load", "load_all"]);
        let first = ranked(&run)[0];
        assert_eq!((first.why, first.bytes), (Why::Peak, 90 << 20));
        assert_eq!(first.line().unwrap().source.trim(), "parse(&text)");
    }

    #[test]
    fn lines_that_were_read_together_count_together() {
        let run = fixture::grouped();
        let first = ranked(&run)[0];
        assert_eq!((first.why, first.bytes), (Why::Alive, 30 << 20));
        let line = first.line().unwrap();
        assert_eq!(line.group, Some(0));
        assert_eq!(line.net_rss, 0);
    }
}
