//! How far figures differ between two runs in which a program did the same. This is the one rule: of comparisons, of
//! what changed since the run before, and of baselines.
//!
//! ```text
//!   runs before   ──●──●────●──────────────────────────────
//!                   ├spread─┤
//!   runs after    ─────────────────────────●───●──●────────
//!                           ├──── gap ─────┤
//! ```
//!
//! A change counts if the gap is wider than the spread of the runs of either side, and wider than the figure's
//! *bound*. The bound says what is known of a figure before anything is repeated. It is divided by the number of
//! runs less one, because repeats show by themselves what the bound allows for. So with one run before and one after
//! the change itself must be more than the bound.

use std::collections::BTreeMap;

use memprof_model::run::{PeakMethod, Run};

const KIB: u64 = 1 << 10;

/// Text that differs from run to run (a time, a process's number, a path) makes a block larger or smaller by so much.
const TEXT: f64 = 64.0;

/// One allocation of so many may come by chance though a thread does the same: hash seeds decide when a table grows,
/// and the time decides when a buffer does. Where threads work together, each may: it is made by whoever comes first.
const BY_CHANCE: f64 = 100.0;

/// What the kernel's counters hold back for each processor, where a run does not say it: 31 pages of 4 KiB
/// (`profile-runtime/src/reading/peak.rs`).
const LAG: u64 = 31 * 4 * KIB;

/// The kernel counts pages of files and other ones apart, and each counter lags by itself.
const KINDS_OF_PAGE: u64 = 2;

/// Code and data of files are mapped 64 KiB at a time at their first use (`fault_around_bytes` of the kernel). Where
/// such a block begins, and so what it has, differs. A line's first use may touch a block of code and one of data.
const FIRST_USE: u64 = 2 * 64 * KIB;

/// What an allocator keeps at the end of its heap when memory is freed, and takes beyond what it is asked for
/// (`M_TRIM_THRESHOLD` and `M_TOP_PAD` of glibc). Where a heap begins differs, so the last such step does, too.
const KEPT: u64 = 128 * KIB;

/// The table of live blocks, where they are followed: which of its pages are touched is chance
/// (`profile-runtime/src/heap/live_blocks.rs`).
const LIVE_BLOCKS: u64 = 6 << 20;

/// Where several threads allocate, the gaps between their blocks lie elsewhere in each run. Up to 5% of a peak were
/// measured with eight threads in glibc; a sixteenth stands for that.
pub(crate) const GAPS: u64 = 16;

/// Whether what a figure was in runs `before` and is in runs `after` differs by more than noise, `bound` being the
/// figure's.
pub(crate) fn differs(before: &[i64], after: &[i64], bound: u64) -> bool {
    let (Some((low, high)), Some((least, most))) = (range(before), range(after)) else {
        return false;
    };
    let gap = least.saturating_sub(high).max(low.saturating_sub(most));
    let spread = high.saturating_sub(low).max(most.saturating_sub(least));
    gap > spread && gap > signed(shared_out(bound, before.len() + after.len()))
}

/// The part of a figure's bound that stands where so many runs are compared.
pub(crate) fn shared_out(bound: u64, runs: usize) -> u64 {
    bound / (runs.saturating_sub(1).max(1) as u64)
}

/// A figure that may be subtracted.
pub(crate) fn signed(figure: u64) -> i64 {
    i64::try_from(figure).unwrap_or(i64::MAX)
}

fn range(values: &[i64]) -> Option<(i64, i64)> {
    Some((*values.iter().min()?, *values.iter().max()?))
}

/// By how many bytes heap figures differ of so many allocations, and of so many bytes freed: by the text in the
/// blocks. Each block is off by itself, so n of them are off by √n times as much. Of blocks that were freed the number
/// is not known; those that hold such text have as many bytes as it differs by at least.
pub(crate) fn heap_bytes(allocations: u64, freed: u64) -> u64 {
    (TEXT * (allocations as f64 + freed as f64 / TEXT).sqrt()) as u64
}

/// By how many so many allocations differ: by three standard deviations of what comes by chance.
pub(crate) fn allocations(allocations: u64, is_concurrent: bool) -> u64 {
    let by_chance = match is_concurrent {
        true => allocations as f64,
        false => allocations as f64 / BY_CHANCE,
    };
    (3.0 * by_chance.sqrt()) as u64
}

/// By how much times differ: another program at work halves the speed of this one.
pub(crate) fn time_ns(shorter: u64) -> u64 {
    shorter.saturating_add(10_000_000)
}

/// By how much RSS differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Resident {
    /// Of functions and lines that ran while no other thread was at work.
    pub(crate) alone: u64,
    /// Of those that ran while others were: whatever the process took may have been taken in them.
    pub(crate) shared: u64,
    /// Whether there were others.
    pub(crate) has_others: bool,
    /// Of the process.
    pub(crate) process: u64,
}

impl Resident {
    /// That of these runs.
    pub(crate) fn of<'a>(runs: impl Iterator<Item = &'a Run> + Clone) -> Resident {
        let alone = runs.clone().map(lags).max().unwrap_or_default();
        let threads = runs.clone().map(threads).max().unwrap_or(1);
        let peaks = runs.clone().map(|run| run.process.peak_rss);
        let grown = |run: &Run| {
            run.process
                .peak_rss
                .saturating_sub(run.process.baseline_rss)
        };
        let gaps = peaks.min().unwrap_or_default() / GAPS;
        let sampled = |run: &Run| run.peak_method == PeakMethod::Sampled;
        let of_threads = alone.saturating_mul(threads);
        let start = runs.clone().map(start).max().unwrap_or_default();
        Resident {
            alone,
            shared: of_threads.max(runs.clone().map(grown).min().unwrap_or_default()),
            has_others: threads > 1,
            // A sampler misses what lies between its samples, as if somebody else had had it.
            process: match threads > 1 || runs.clone().any(sampled) {
                true => of_threads.saturating_add(start).saturating_add(gaps),
                false => of_threads.saturating_add(start),
            },
        }
    }
}

/// By how much RSS differs of what ran while no other thread was at work, where the kernel's counters lag as they do
/// on up to 16 processors: 504 KiB.
pub(crate) const ALONE: u64 = KINDS_OF_PAGE * LAG + FIRST_USE + KEPT;

/// The same on the machine of `run`.
fn lags(run: &Run) -> u64 {
    let more = run.process.lag_rss.saturating_sub(LAG);
    let followed = if run.origins.is_some() {
        LIVE_BLOCKS
    } else {
        0
    };
    KINDS_OF_PAGE * more + ALONE + followed
}

/// By how much what the start of memprof took differs, which is taken off all figures of the process: it is read as
/// they are, and lags by itself.
fn start(run: &Run) -> u64 {
    match run.overhead.start_rss {
        0 => 0,
        _ => KINDS_OF_PAGE * run.process.lag_rss.max(LAG) + FIRST_USE,
    }
}

/// How many threads were at work at once: with calls in progress, and one more if others allocated or touched memory
/// meanwhile.
fn threads(run: &Run) -> u64 {
    let functions = || run.functions.iter();
    let mut ends: Vec<(u64, bool, u64)> = functions()
        .flat_map(|function| &function.call_records)
        .filter(|call| call.end_ns > call.start_ns)
        .flat_map(|call| {
            [
                (call.start_ns, true, call.thread),
                (call.end_ns, false, call.thread),
            ]
        })
        .collect();
    ends.sort_unstable();
    let mut open: BTreeMap<u64, u64> = BTreeMap::new();
    let mut most = 1;
    for (_, begins, thread) in ends {
        let calls = open.entry(thread).or_default();
        *calls = if begins {
            *calls + 1
        } else {
            calls.saturating_sub(1)
        };
        if *calls == 0 {
            open.remove(&thread);
        }
        most = most.max(open.len());
    }
    let others = functions()
        .flat_map(|function| &function.lines)
        .any(|line| line.shared > 0 || line.workers.is_some_and(|workers| workers.hits > 0));
    most as u64 + u64::from(others)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn one_run_and_another_differ_by_more_than_the_bound() {
        assert!(!differs(&[100], &[110], 10));
        assert!(differs(&[100], &[111], 10));
        assert!(differs(&[111], &[100], 10));
        assert!(!differs(&[100], &[100], 0));
        assert!(!differs(&[], &[100], 0));
    }

    #[test]
    fn repeats_differ_by_more_than_their_spread() {
        // The gap is 20, the spread 20: that is chance. Two more and it is not.
        assert!(!differs(&[100, 120, 110], &[140, 141, 142], 0));
        assert!(differs(&[100, 120, 110], &[141, 142, 143], 0));
        // The order is of no matter, nor which side spreads.
        assert!(differs(&[141, 143, 142], &[110, 100, 120], 0));
    }

    #[test]
    fn repeats_show_what_the_bound_allows_for() {
        // Of one and one the bound is 1,000; of three and three a fifth.
        assert!(!differs(&[0], &[1_000], 1_000));
        assert!(!differs(&[0, 0, 0], &[200, 200, 200], 1_000));
        assert!(differs(&[0, 0, 0], &[201, 201, 201], 1_000));
        assert_eq!((shared_out(1_000, 2), shared_out(1_000, 6)), (1_000, 200));
    }

    #[test]
    fn bounds_by_hand() {
        // 31 pages of 4 KiB, twice; 128 KiB of first use; 128 KiB that are kept.
        assert_eq!(ALONE, (248 + 128 + 128) * KIB);
        // One block: 64 bytes. 10,000 blocks: a hundred times that. 6,400 bytes freed: as 100 blocks.
        assert_eq!(heap_bytes(1, 0), 64);
        assert_eq!(heap_bytes(10_000, 0), 6_400);
        assert_eq!(heap_bytes(0, 6_400), 640);
        // 3 × √(10,000 / 100), and 3 × √10,000.
        assert_eq!(allocations(10_000, false), 30);
        assert_eq!(allocations(10_000, true), 300);
        // Few allocations of one thread are exact.
        assert_eq!(allocations(11, false), 0);
    }

    /// A run whose calls have these threads, starts and ends; its peak is 160 MiB, 100 MiB above the baseline.
    fn with_calls(calls: &[(u64, u64, u64)]) -> Run {
        let mut run = fixture::constant();
        (run.process.peak_rss, run.process.baseline_rss) = (160 << 20, 60 << 20);
        let template = run.functions[0].call_records[0].clone();
        let call = |&(thread, start_ns, end_ns): &(u64, u64, u64)| {
            let mut call = template.clone();
            (call.thread, call.start_ns, call.end_ns) = (thread, start_ns, end_ns);
            call
        };
        run.functions[0].call_records = calls.iter().map(call).collect();
        run
    }

    #[test]
    fn threads_count_that_are_at_work_at_once() {
        let threads = |calls: &[(u64, u64, u64)]| super::threads(&with_calls(calls));
        assert_eq!(threads(&[]), 1);
        // One after another, as those of a server are.
        assert_eq!(threads(&[(1, 0, 10), (2, 10, 20), (3, 20, 30)]), 1);
        // Nested calls are one thread's.
        assert_eq!(threads(&[(1, 0, 10), (1, 2, 5), (2, 4, 6)]), 2);
        // A call that took no time is over.
        assert_eq!(threads(&[(1, 5, 5), (2, 6, 7)]), 1);
        // Others that have no calls of their own are one more.
        let mut run = with_calls(&[(1, 0, 10)]);
        run.functions[0].lines[0].shared = 1;
        assert_eq!(super::threads(&run), 2);
    }

    #[test]
    fn resident_memory_of_a_thread_and_of_two() {
        let one = with_calls(&[(1, 0, 10)]);
        let alone = Resident::of([&one, &one].into_iter());
        assert_eq!(
            (alone.alone, alone.process, alone.has_others),
            (ALONE, ALONE, false)
        );
        // Two at once: what the process took, 100 MiB, may have been taken in any of their lines; a sixteenth of
        // 160 MiB are gaps.
        let two = with_calls(&[(1, 0, 10), (2, 5, 15)]);
        let both = Resident::of([&one, &two].into_iter());
        assert_eq!((both.alone, both.shared), (ALONE, 100 << 20));
        assert_eq!(both.process, 2 * ALONE + (10 << 20));
        assert!(both.has_others);
    }

    #[test]
    fn more_processors_hold_back_more() {
        let mut run = with_calls(&[]);
        // 64 processors: 127 pages each.
        run.process.lag_rss = 127 << 12;
        assert_eq!(
            Resident::of([&run].into_iter()).alone,
            ALONE + 2 * (96 << 12)
        );
    }

    #[test]
    fn what_the_start_took_is_read_with_the_same_lag() {
        let mut run = with_calls(&[]);
        let before = Resident::of([&run].into_iter());
        run.overhead.start_rss = 5 << 20;
        let after = Resident::of([&run].into_iter());
        assert_eq!(after.alone, before.alone);
        assert_eq!(after.process, before.process + 2 * LAG + FIRST_USE);
    }
}
