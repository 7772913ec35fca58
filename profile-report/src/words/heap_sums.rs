//! Says in words what a function did on the heap, which is known exactly: on which line, how much at once, how much
//! in all.

use memprof_model::run::{FunctionProfile, HeapFigures, Line};

use super::places::quoted;
use crate::facts::own::had_itself;
use crate::facts::rss_and_heap::is_alone;
use crate::facts::seen::Seen;
use crate::facts::shown_call::{NOISE, in_progress, was_suspended};
use crate::text::sentence::Part;
use crate::text::units::{count, mib_unit};

/// The sentences; empty where the heap was not counted.
pub(super) fn sentences(profile: &FunctionProfile, seen: &Seen) -> Vec<Part> {
    let Some(heap) = profile.heap else {
        return Vec::new();
    };
    let mut told = highest_line(profile, seen);
    told.push(Part::Words(sums(profile, heap, seen)));
    told
}

/// The line that has most.
///
/// Said if the line had 64 KiB or more. What the line allocated, freed, and had at once are the table's figures. "At
/// once" is said under the rule of [`was_at_once`].
fn highest_line(profile: &FunctionProfile, seen: &Seen) -> Vec<Part> {
    let Some((line, heap)) = highest(profile) else {
        return Vec::new();
    };
    let (allocated, peak) = (mib_unit(heap.allocated), mib_unit(heap.peak));
    let amount = match was_at_once(profile, heap.peak, seen) {
        true if peak == allocated => format!("{peak} at once"),
        true => format!("up to {peak} at once, {allocated} in all,"),
        false => format!("{allocated} in all"),
    };
    let number = line.line;
    let freed = freed(heap);
    vec![
        Part::Code(quoted(&line.source)),
        Part::Words(format!(
            " (line {number}) allocated {amount} and freed {freed}. "
        )),
    ]
}

/// The line that has most by itself; where that is next to nothing, the line that called what rose most.
fn highest(profile: &FunctionProfile) -> Option<(&Line, HeapFigures)> {
    let most = |of: fn(&Line) -> u64| {
        // Of equal ones the first: it is the one that a reader meets.
        let lines = profile.lines.iter().rev();
        let line = lines.max_by_key(|line| of(line))?;
        (of(line) >= NOISE).then_some(line)
    };
    let line = most(had_itself).or_else(|| most(|line| line.heap.map_or(0, |heap| heap.peak)))?;
    Some((line, line.heap?))
}

/// What the calls did in all.
///
/// Always said: these are the function's own figures. How much there was at once is said under the rule of
/// [`was_at_once`]; of calls that have not ended only the least is known.
fn sums(profile: &FunctionProfile, heap: HeapFigures, seen: &Seen) -> String {
    let whose = whose(profile);
    if heap.allocated == 0 && heap.freed == 0 {
        return format!("{whose} allocated nothing and freed nothing. ");
    }
    let (allocated, peak) = (mib_unit(heap.allocated), mib_unit(heap.peak));
    let in_one_call = if profile.calls > 1 { " in a call" } else { "" };
    let bound = if in_progress(profile) > 0 {
        "least"
    } else {
        "most"
    };
    let at_once = match heap.peak > 0 && was_at_once(profile, heap.peak, seen) {
        true if peak != allocated => format!(", at {bound} {peak} of it at once{in_one_call},"),
        _ => String::new(),
    };
    let allocations = allocations(heap.allocations);
    let freed = freed_less_or_more(heap);
    format!("{whose} allocated {allocated} in {allocations}{at_once} and freed {freed}. ")
}

/// `The call`, `All 12 calls`, `So far the call`, `So far the 12 calls`.
pub(super) fn whose(profile: &FunctionProfile) -> String {
    match (profile.calls, in_progress(profile)) {
        (1, 0) => "The call".to_owned(),
        (1, _) => "So far the call".to_owned(),
        (calls, 0) => format!("All {} calls", count(calls)),
        (calls, _) => format!("So far the {} calls", count(calls)),
    }
}

fn allocations(number: u64) -> String {
    match number {
        1 => "1 allocation".to_owned(),
        number => format!("{} allocations", count(number)),
    }
}

fn freed(heap: HeapFigures) -> String {
    match heap.freed {
        0 => "nothing".to_owned(),
        freed if freed == heap.allocated => "all of it".to_owned(),
        freed => mib_unit(freed),
    }
}

/// What was freed, beside what was allocated. The difference is of the sums: whether it is alive nobody knows
/// without origins, since others may have freed it.
fn freed_less_or_more(heap: HeapFigures) -> String {
    let apart = mib_unit(heap.net.unsigned_abs());
    match heap.net {
        _ if heap.freed == 0 => freed(heap),
        0 => "as much".to_owned(),
        1.. => format!("{}, {apart} less", freed(heap)),
        _ => format!("{}, {apart} more", freed(heap)),
    }
}

/// Whether so many bytes are known to have been there at once: nobody but the calls' own thread can have freed any of
/// them, or the samples of live heap have been as high.
fn was_at_once(profile: &FunctionProfile, bytes: u64, seen: &Seen) -> bool {
    let is_own = is_alone(profile.heap_elsewhere) && !was_suspended(profile);
    is_own || seen.can_have_lived(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::text::sentence::plain;
    use memprof_model::data;
    use memprof_model::run::{Outcome, Run};

    const MIB: u64 = 1 << 20;

    fn told(run: &Run) -> String {
        let profile = &run.functions[0];
        plain(sentences(profile, &Seen::in_samples(run, profile)))
    }

    fn with_heap(allocated: u64, freed: u64, peak: u64, allocations: u64) -> Run {
        let mut run = fixture::apart();
        run.functions[0].lines.clear();
        run.functions[0].heap = Some(data!(HeapFigures {
            allocated: allocated * MIB,
            freed: freed * MIB,
            net: (allocated * MIB) as i64 - (freed * MIB) as i64,
            peak: peak * MIB,
            allocations,
        }));
        run
    }

    #[test]
    fn sums_are_told_whatever_they_are() {
        for (run, expected) in [
            (
                with_heap(0, 0, 0, 0),
                "The call allocated nothing and freed nothing. ",
            ),
            (
                with_heap(7, 0, 7, 1),
                "The call allocated 7.000 MiB in 1 allocation and freed nothing. ",
            ),
            (
                with_heap(7, 7, 7, 2),
                "The call allocated 7.000 MiB in 2 allocations and freed as much. ",
            ),
            (
                with_heap(119, 91, 40, 1_000_000),
                "The call allocated 119.0 MiB in 1\u{202f}000\u{202f}000 allocations, at most 40.00 MiB of it at once, \
                 and freed 91.00 MiB, 28.00 MiB less. ",
            ),
            (
                with_heap(1, 3, 1, 5),
                "The call allocated 1.000 MiB in 5 allocations and freed 3.000 MiB, 2.000 MiB more. ",
            ),
        ] {
            assert_eq!(told(&run), expected);
        }
    }

    #[test]
    fn calls_in_progress_are_told_so_far() {
        let mut run = with_heap(119, 91, 40, 7);
        run.functions[0].call_records[0].outcome = Outcome::Running;
        assert!(
            told(&run).starts_with(
                "So far the call allocated 119.0 MiB in 7 allocations, at least 40.00 MiB of it at once, and freed "
            ),
            "{}",
            told(&run)
        );
        run.functions[0].calls = 12;
        assert!(told(&run).starts_with("So far the 12 calls allocated "));
    }

    /// What a thread has allocated and others freed was not there at once.
    #[test]
    fn nothing_is_told_to_have_been_there_at_once_that_others_may_have_freed() {
        let mut run = with_heap(14_906, 0, 14_000, 7);
        assert!(
            told(&run).contains("at most 14000 MiB of it at once"),
            "nobody else was there"
        );
        run.functions[0].heap_elsewhere = Some(data!(HeapFigures {
            freed: 14_906 * MIB,
            ..HeapFigures::default()
        }));
        assert_eq!(
            told(&run),
            "The call allocated 14906 MiB in 7 allocations and freed nothing. "
        );
    }

    /// A leak in small blocks never has much at once.
    #[test]
    fn the_line_of_a_leak_is_told() {
        let mut run = fixture::leaking();
        run.functions.retain(|function| function.label == "intern");
        let line = run.functions[0].lines.iter().find(|line| line.line == 91);
        let heap = line.and_then(|line| line.heap).expect("counted");
        assert!(heap.allocated > 27 * MIB && heap.freed == 0, "{heap:?}");
        let told = told(&run);
        assert!(told.contains(" (line 91) allocated "), "{told}");
        assert!(
            told.contains("27.60 MiB in all") || told.contains("27.60 MiB at once"),
            "{told}"
        );
        assert!(told.contains(" and freed nothing. "), "{told}");
    }

    /// Line 21 adds a few bytes where line 20 has most.
    #[test]
    fn the_line_that_has_most_is_told_not_the_one_that_met_the_peak() {
        let mut run = fixture::apart();
        let profile = &mut run.functions[0];
        for line in &mut profile.lines {
            line.self_heap = line.heap;
        }
        let last = profile.lines.iter_mut().rev().find(|line| line.hits > 0);
        let last = last.expect("it ran");
        let own = last.self_heap.as_mut().expect("counted");
        (own.allocated, own.peak) = (8, 72 * MIB);
        last.heap = Some(data!(HeapFigures { peak: 8, ..*own }));
        assert!(
            told(&run).contains(" (line 4) allocated 40.00 MiB at once"),
            "{}",
            told(&run)
        );
    }
}
