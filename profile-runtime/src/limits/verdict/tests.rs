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
fn verdict_every_limit_is_kept_below_and_at_it_and_broken_above() {
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
fn verdict_a_limit_judges_no_other_figure_than_its_own() {
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
fn verdict_what_fell_breaks_no_limit_of_zero() {
    let heap = data!(HeapFigures {
        net: -1,
        ..HeapFigures::default()
    });
    let limits = Limits::NONE.net(0).leak(0);
    assert_eq!(broken(limits, &record(0, -4096), Some(heap)), []);
}

#[test]
fn verdict_a_heap_limit_that_nobody_counts_for_is_named_before_what_else_was_broken() {
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
fn verdict_a_verdict_holds_what_the_message_needs() {
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
fn verdict_a_line_has_of_each_figure_what_rose() {
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
