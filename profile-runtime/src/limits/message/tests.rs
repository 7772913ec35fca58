use memprof_model::data;
use memprof_model::growth::Exponent;

use super::*;
use crate::counters::counts::Counts;
use crate::site::figures::LineFigures;
use crate::site::registered::RegisteredSite;
use crate::site::spec::SiteSpec;

static SPEC: SiteSpec = SiteSpec {
    name: || "demo::crunch::__MEMPROF_SITE",
    label: None,
    block: None,
    file: "src/crunch.rs",
    line: 10,
    interval_ns: 1,
    source: "fn crunch() {\n    a();\n    b();\n    c();\n    d();\n    e();\n    f();\n}",
    source_line: 10,
    lines: &[11, 12, 13, 14, 15, 16],
};

fn broken(broken: &[Broken]) -> BrokenLimits {
    let site = RegisteredSite::new(0, &SPEC, 1, None, false);
    let mut verdict = BrokenLimits::new(Box::leak(Box::new(site)));
    verdict.broken = broken.to_vec();
    verdict
}

fn net(net: i64) -> LineFigures {
    LineFigures {
        net,
        ..LineFigures::default()
    }
}

const NET: Broken = Broken::Figure {
    figure: Figure::Net,
    limit: 1 << 20,
    value: 3 << 20,
};

#[test]
fn message_the_message_names_the_lines_with_most_first_and_no_more_than_five() {
    let mut verdict = broken(&[NET]);
    verdict.lines = [1, 6, -9, 3, 2, 5].map(|kib| net(kib << 10)).to_vec();
    let message = verdict.message();
    assert_eq!(
        message,
        "`crunch` (src/crunch.rs:10) broke its memory limit\n  \
         max_net = 1 MiB, was 3 MiB (RSS at the exit less that at the entry)\n    \
         src/crunch.rs:12  6 KiB  b();\n    \
         src/crunch.rs:16  5 KiB  f();\n    \
         src/crunch.rs:14  3 KiB  d();\n    \
         src/crunch.rs:15  2 KiB  e();\n    \
         src/crunch.rs:11  1 KiB  a();"
    );
    verdict.lines = [1, 2, 3, 4, 5, 6].map(|kib| net(kib << 10)).to_vec();
    let message = verdict.message();
    assert_eq!(message.matches("src/crunch.rs:1").count(), 1 + LINES);
    assert!(
        !message.contains("a();"),
        "the least is left out: {message}"
    );
}

#[test]
fn message_the_message_counts_allocations_and_does_not_measure_them() {
    let mut verdict = broken(&[Broken::Figure {
        figure: Figure::Allocations,
        limit: 1,
        value: 2_000,
    }]);
    verdict.lines = vec![LineFigures {
        heap: Counts {
            allocations: 2_000,
            ..Counts::default()
        },
        ..LineFigures::default()
    }];
    assert!(
        verdict.message().ends_with(
            "\n  max_allocations = 1, was 2000 (allocations)\n    src/crunch.rs:11  2000  a();"
        ),
        "{}",
        verdict.message()
    );
}

#[test]
fn message_the_message_says_of_rss_alone_that_others_worked_on_it_too() {
    let heap = Broken::Figure {
        figure: Figure::HeapPeak,
        limit: 1,
        value: 2,
    };
    for (figure, shared, expected) in [(NET, true, true), (NET, false, false), (heap, true, false)]
    {
        let mut verdict = broken(&[figure]);
        verdict.shared = shared;
        let message = verdict.message();
        assert_eq!(message.contains("shared: "), expected, "{message}");
    }
}

#[test]
fn message_the_message_says_that_lines_were_read_in_part() {
    let mut verdict = broken(&[NET]);
    assert!(!verdict.message().contains("some lines ran too often"));
    verdict.partly_measured = true;
    assert!(verdict.message().contains("some lines ran too often"));
}

#[test]
fn message_the_message_tells_the_range_of_a_growth_and_how_to_have_the_heap_counted() {
    let exponent = data!(Exponent {
        value: 2.0,
        low: 1.9,
        high: 2.104,
    });
    let growth = Broken::Growth {
        limit: 1.5,
        exponent,
    };
    let message = broken(&[growth, Broken::NotCounted("max_leak")]).message();
    assert!(
        message.contains("\n  max_growth = n^1.5, was n^2.00 (between n^1.90 and n^2.10)\n"),
        "{message}"
    );
    assert!(
        message.contains("\n  max_leak cannot be checked"),
        "{message}"
    );
    assert!(
        message.contains("depend on memprof with features = [\"counting\"]"),
        "{message}"
    );
}
