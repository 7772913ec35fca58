//! The limits that a call broke.

use crate::site::figures::LineFigures;
use crate::site::limits::Limits;
use crate::site::registered::RegisteredSite;
use memprof_model::growth::Exponent;
use memprof_model::run::{Call, HeapFigures, Outcome};

/// A call of a site with limits that has ended.
#[derive(Debug)]
pub(crate) struct CheckedCall<'call> {
    pub site: &'static RegisteredSite,
    /// The call as data.
    pub record: &'call Call,
    /// Heap figures of its thread; `None` without the counting allocator.
    pub heap: Option<HeapFigures>,
    /// Whether other threads worked on the process's memory meanwhile.
    pub shared: bool,
    /// The figures of its lines.
    pub lines: &'call [LineFigures],
    /// Whether lines ran that were not read one by one.
    pub partly_measured: bool,
}

/// The limits that a call broke, and all that the message needs.
#[derive(Debug)]
pub(crate) struct BrokenLimits {
    pub site: &'static RegisteredSite,
    pub broken: Vec<Broken>,
    /// How the call ended.
    pub outcome: Outcome,
    pub shared: bool,
    pub partly_measured: bool,
    pub lines: Vec<LineFigures>,
}

impl BrokenLimits {
    /// For a call that kept to the limits on a single call: a limit on growth may be added.
    pub(crate) fn new(site: &'static RegisteredSite) -> BrokenLimits {
        BrokenLimits {
            site,
            broken: Vec::new(),
            outcome: Outcome::Returned,
            shared: false,
            partly_measured: false,
            lines: Vec::new(),
        }
    }
}

/// A limit that was not kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Broken {
    /// A figure of the call is higher than its limit.
    Figure {
        figure: Figure,
        limit: u64,
        value: u64,
    },
    /// It grows faster with its size than allowed.
    Growth { limit: f64, exponent: Exponent },
    /// The limit that this argument sets cannot be checked without the counting allocator.
    NotCounted(&'static str),
}

/// A figure that can have a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Figure {
    Peak,
    Net,
    HeapPeak,
    Leak,
    Allocated,
    Allocations,
}

impl Figure {
    /// The argument that limits it.
    pub(super) fn argument(self) -> &'static str {
        match self {
            Figure::Peak => "max_peak",
            Figure::Net => "max_net",
            Figure::HeapPeak => "max_heap_peak",
            Figure::Leak => "max_leak",
            Figure::Allocated => "max_allocated",
            Figure::Allocations => "max_allocations",
        }
    }

    /// What it is, in words.
    pub(super) fn meaning(self) -> &'static str {
        match self {
            Figure::Peak => "RSS above that at the entry",
            Figure::Net => "RSS at the exit less that at the entry",
            Figure::HeapPeak => "live heap bytes above those at the entry",
            Figure::Leak => "heap bytes allocated and not freed",
            Figure::Allocated => "heap bytes allocated",
            Figure::Allocations => "allocations",
        }
    }

    /// The same figure of a line; 0 where it fell.
    pub(super) fn of_line(self, line: &LineFigures) -> u64 {
        match self {
            Figure::Peak => line.peak,
            Figure::Net => risen(line.net),
            Figure::HeapPeak => line.heap_peak,
            Figure::Leak => risen(line.heap.live()),
            Figure::Allocated => line.heap.allocated,
            Figure::Allocations => line.heap.allocations,
        }
    }

    /// The figure of a call; `None` without the counting allocator.
    fn of_call(self, ended: &CheckedCall<'_>) -> Option<u64> {
        let heap = || ended.heap.as_ref();
        match self {
            Figure::Peak => Some(ended.record.peak_rss),
            Figure::Net => Some(risen(ended.record.net_rss)),
            Figure::HeapPeak => heap().map(|heap| heap.peak),
            Figure::Leak => heap().map(|heap| risen(heap.net)),
            Figure::Allocated => heap().map(|heap| heap.allocated),
            Figure::Allocations => heap().map(|heap| heap.allocations),
        }
    }
}

/// By how much something rose; 0 if it fell.
fn risen(change: i64) -> u64 {
    u64::try_from(change).unwrap_or(0)
}

/// The limits that the call broke; `None` if it kept to all.
pub(crate) fn broken_by(limits: &Limits, ended: &CheckedCall<'_>) -> Option<BrokenLimits> {
    let figures = [
        (Figure::Peak, limits.peak),
        (Figure::Net, limits.net),
        (Figure::HeapPeak, limits.heap_peak),
        (Figure::Leak, limits.leak),
        (Figure::Allocated, limits.allocated),
        (Figure::Allocations, limits.allocations),
    ];
    let not_counted = limits.needs_heap().filter(|_| ended.heap.is_none());
    let over = figures.into_iter().filter_map(|(figure, limit)| {
        let (limit, value) = (limit?, figure.of_call(ended)?);
        (value > limit).then_some(Broken::Figure {
            figure,
            limit,
            value,
        })
    });
    let broken: Vec<Broken> = not_counted
        .map(Broken::NotCounted)
        .into_iter()
        .chain(over)
        .collect();
    (!broken.is_empty()).then(|| BrokenLimits {
        site: ended.site,
        broken,
        outcome: ended.record.outcome,
        shared: ended.shared,
        partly_measured: ended.partly_measured,
        lines: ended.lines.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counters::counts::Counts;
    use crate::site::spec::SiteSpec;
    use memprof_model::data;

    static SPEC: SiteSpec = SiteSpec::own("crunch", &[1]);

    fn site() -> &'static RegisteredSite {
        Box::leak(Box::new(RegisteredSite::new(0, &SPEC, 1, None, false)))
    }

    fn record(peak_rss: u64, net_rss: i64) -> Call {
        data!(Call {
            start_ns: 0,
            end_ns: 1,
            suspended_ns: 0,
            thread: 1,
            depth: 0,
            by: None,
            outcome: Outcome::Returned,
            entry_rss: 0,
            exit_rss: 0,
            peak_rss,
            net_rss,
            suspended_rss: 0,
        })
    }

    /// What a call broke that had these figures and no lines.
    fn broken(limits: Limits, record: &Call, heap: Option<HeapFigures>) -> Vec<Broken> {
        let ended = CheckedCall {
            site: site(),
            record,
            heap,
            shared: false,
            lines: &[],
            partly_measured: false,
        };
        broken_by(&limits, &ended).map_or_else(Vec::new, |verdict| verdict.broken)
    }

    /// A call of which `figure` is `value`, and every other figure 0.
    fn with(figure: Figure, value: u64) -> (Call, HeapFigures) {
        let (mut call, mut heap) = (record(0, 0), HeapFigures::default());
        match figure {
            Figure::Peak => call.peak_rss = value,
            Figure::Net => call.net_rss = value as i64,
            Figure::HeapPeak => heap.peak = value,
            Figure::Leak => heap.net = value as i64,
            Figure::Allocated => heap.allocated = value,
            Figure::Allocations => heap.allocations = value,
        }
        (call, heap)
    }

    const EVERY: [(Figure, Limits); 6] = [
        (Figure::Peak, Limits::NONE.peak(100)),
        (Figure::Net, Limits::NONE.net(100)),
        (Figure::HeapPeak, Limits::NONE.heap_peak(100)),
        (Figure::Leak, Limits::NONE.leak(100)),
        (Figure::Allocated, Limits::NONE.allocated(100)),
        (Figure::Allocations, Limits::NONE.allocations(100)),
    ];

    #[test]
    fn every_limit_is_kept_below_and_at_it_and_broken_above() {
        for (figure, limits) in EVERY {
            for (value, is_broken) in [(0, false), (99, false), (100, false), (101, true)] {
                let (call, heap) = with(figure, value);
                let expected = Broken::Figure {
                    figure,
                    limit: 100,
                    value,
                };
                let broken = broken(limits, &call, Some(heap));
                assert_eq!(broken.contains(&expected), is_broken, "{figure:?} {value}");
                assert_eq!(broken.len(), usize::from(is_broken), "{figure:?} {value}");
            }
        }
    }

    #[test]
    fn a_limit_judges_no_other_figure_than_its_own() {
        for (figure, limits) in EVERY {
            for (other, _) in EVERY.into_iter().filter(|&(other, _)| other != figure) {
                let (call, heap) = with(other, 1_000);
                assert_eq!(
                    broken(limits, &call, Some(heap)),
                    [],
                    "{figure:?} {other:?}"
                );
            }
        }
    }

    #[test]
    fn what_fell_breaks_no_limit_of_zero() {
        let heap = data!(HeapFigures {
            net: -1,
            ..HeapFigures::default()
        });
        let limits = Limits::NONE.net(0).leak(0);
        assert_eq!(broken(limits, &record(0, -4096), Some(heap)), []);
    }

    #[test]
    fn a_heap_limit_that_nobody_counts_for_is_named_before_what_else_was_broken() {
        let limits = Limits::NONE.net(10).leak(0).allocations(0);
        let expected = [
            Broken::NotCounted("max_leak"),
            Broken::Figure {
                figure: Figure::Net,
                limit: 10,
                value: 11,
            },
        ];
        assert_eq!(broken(limits, &record(0, 11), None), expected);
        assert_eq!(broken(Limits::NONE.peak(1), &record(1, 0), None), []);
    }

    #[test]
    fn a_verdict_holds_what_the_message_needs() {
        let lines = [LineFigures {
            net: 7,
            ..LineFigures::default()
        }];
        let record = data!(Call {
            outcome: Outcome::Cancelled,
            ..record(2, 0)
        });
        let ended = CheckedCall {
            site: site(),
            record: &record,
            heap: None,
            shared: true,
            lines: &lines,
            partly_measured: true,
        };
        let verdict = broken_by(&Limits::NONE.peak(1), &ended).expect("it broke its limit");
        assert!(std::ptr::eq(verdict.site, ended.site));
        assert_eq!(verdict.outcome, Outcome::Cancelled);
        assert!(verdict.shared && verdict.partly_measured);
        assert_eq!(verdict.lines[0].net, 7);
    }

    #[test]
    fn a_line_has_of_each_figure_what_rose() {
        let line = LineFigures {
            net: -1,
            peak: 2,
            time_ns: 3,
            heap: Counts {
                allocated: 40,
                freed: 10,
                allocations: 4,
            },
            heap_peak: 5,
        };
        let figures = EVERY.map(|(figure, _)| figure.of_line(&line));
        assert_eq!(figures, [2, 0, 5, 30, 40, 4]);
    }
}
