//! A comparison from the runs to what is printed.

use memprof_model::data;
use memprof_model::run::{FunctionProfile, HeapFigures, Line, LineGroup, Run, Workers};

use super::*;
use crate::fixture;
use crate::pages::changes_page as page;
use crate::text::visible;

const MIB: u64 = 1 << 20;

/// A function of thirty lines, each of which did something of its own.
fn parser() -> Run {
    let mut run = fixture::nested();
    run.functions.truncate(1);
    let text = |i: usize| match i {
        0 => "fn parse(text: &str) -> Tree {".to_owned(),
        29 => "}".to_owned(),
        i if i % 7 == 0 => "    }".to_owned(),
        i => format!("    let part_{i} = step_{i}(&text[{i}..]);"),
    };
    set_source(
        &mut run.functions[0],
        100,
        &(0..30).map(text).collect::<Vec<_>>(),
    );
    run
}

/// Gives `function` this text from line `first` on, a peak of 2 MiB in each of its steps.
fn set_source(function: &mut FunctionProfile, first: u32, text: &[String]) {
    (function.name, function.label) = ("tool::parse".into(), "parse".into());
    (function.line, function.source_line) = (first, first);
    function.source = text.join("\n");
    let template = function.lines[0].clone();
    let line = |(i, source): (usize, &String)| {
        data!(Line {
            line: first + i as u32,
            source: source.clone(),
            hits: 3,
            peak_rss: if source.contains("part_") { 2 * MIB } else { 0 },
            net_rss: 0,
            time_ns: 1_000_000,
            ..template.clone()
        })
    };
    function.lines = text.iter().enumerate().skip(1).map(line).collect();
}

/// The same function twelve lines further down, where a line was put in, another was edited, and line
/// `part_17` needs another MiB.
fn regressed() -> Run {
    let mut run = parser();
    let mut text: Vec<_> = run.functions[0].source.lines().map(str::to_owned).collect();
    text[4] = text[4].replace("step_4", "step_four");
    text.insert(9, "    let extra = 1;".into());
    let function = &mut run.functions[0];
    set_source(function, 112, &text);
    let line = function
        .lines
        .iter_mut()
        .find(|line| line.source.contains("part_17"))
        .unwrap();
    line.peak_rss += MIB;
    line.net_rss += MIB as i64;
    run
}

#[test]
fn a_mebibyte_in_one_line_of_thirty_that_moved_by_twelve_is_named() {
    let diff = compare(&parser(), &regressed());
    let (function, line) = diff.worst().unwrap();
    let line = line.unwrap();
    assert_eq!(function.label, "parse");
    // One of the thirteen lines is the one that was put in before it.
    assert_eq!((line.before, line.after), (Some(117), Some(130)));
    assert_eq!(
        (line.changes.peak_rss.change, line.changes.net_rss.change),
        (1 << 20, 1 << 20)
    );
    assert!(line.source.contains("part_17"));
    for shown in [text(&diff, 200), markdown(&diff), page(&diff).unwrap()] {
        let shown = anstream::adapter::strip_str(&shown).to_string();
        assert!(
            shown.contains("line 130 of") && shown.contains("(line 117 before) grew most"),
            "{shown}"
        );
        assert!(
            shown.contains("let part_17 = step_17") && shown.contains("+1.000"),
            "{shown}"
        );
    }
}

#[test]
fn lines_are_matched_though_they_moved_or_were_edited() {
    let diff = compare(&parser(), &regressed());
    let lines = &diff.functions[0].lines;
    let edited: Vec<_> = lines
        .iter()
        .filter_map(|line| line.source_before.as_deref())
        .collect();
    assert_eq!(edited.len(), 1, "{edited:?}");
    assert!(edited[0].contains("step_4"));
    let new: Vec<_> = lines
        .iter()
        .filter(|line| line.before.is_none())
        .map(|line| line.source.trim())
        .collect();
    assert_eq!(new, ["let extra = 1;"]);
    assert!(lines.iter().all(|line| line.after.is_some()));
}

#[test]
fn the_inner_function_comes_before_the_one_around_it() {
    let before = fixture::nested();
    let mut after = before.clone();
    for function in &mut after.functions {
        function.peak_rss += MIB;
    }
    let diff = compare(&before, &after);
    assert_eq!(diff.worst().unwrap().0.label, "load");
}

#[test]
fn a_line_that_needs_more_is_found_though_the_function_s_peak_is_elsewhere() {
    let before = fixture::nested();
    let mut after = before.clone();
    after.functions[1].lines[0].peak_rss += MIB;
    let diff = compare(&before, &after);
    let (function, line) = diff.worst().unwrap();
    assert_eq!(
        (&function.label[..], line.unwrap().after),
        ("load", Some(31))
    );
}

#[test]
fn the_same_run_has_no_change() {
    for (name, run) in fixture::all() {
        let diff = compare(&run, &run);
        assert_eq!(diff.worst(), None, "{name}");
        assert!(
            diff.functions
                .iter()
                .all(|f| f.changes.count.change == 0 && !f.weight().is_some()),
            "{name}"
        );
        assert!(
            diff.functions
                .iter()
                .flat_map(|f| &f.lines)
                .all(|line| line.before == line.after),
            "{name}"
        );
    }
}

#[test]
fn any_two_runs_can_be_compared_and_shown() {
    for (_, before) in fixture::all() {
        for (_, after) in fixture::all() {
            let diff = compare(&before, &after);
            assert!(diff.functions.len() >= before.functions.len().max(after.functions.len()));
            let page = page(&diff).unwrap();
            assert!(!page.contains("<script>alert") && !page.contains("<img"));
            let markdown = markdown(&diff);
            let text = anstream::adapter::strip_str(&text(&diff, 120)).to_string();
            for shown in [page, markdown, text] {
                assert!(!shown.contains(['\u{1b}', '\u{202e}', '\u{2028}']));
            }
        }
    }
}

#[test]
fn what_is_printed() {
    let text = text(&compare(&parser(), &regressed()), 140);
    insta::assert_snapshot!(anstream::adapter::strip_str(&text));
}

/// A run of `parser` whose heap was counted: `part_3` allocated this, in so many allocations.
fn counted(allocated: u64, allocations: u64, peak: u64) -> Run {
    let mut run = parser();
    run.heap = true;
    let heap = data!(HeapFigures {
        allocated,
        freed: allocated,
        net: 0,
        peak,
        allocations,
    });
    let function = &mut run.functions[0];
    function.heap = Some(heap);
    for line in &mut function.lines {
        let is_it = line.source.contains("part_3 ");
        line.heap = Some(if is_it { heap } else { HeapFigures::default() });
    }
    run
}

/// What `cargo memprof diff` said of two runs of one program whose heap was the same to the byte.
#[test]
fn rss_that_moves_of_itself_is_no_change_where_the_heap_is_the_same() {
    let before = counted(5_000_000, 100, MIB);
    let mut after = before.clone();
    (after.process.peak_rss, after.functions[0].peak_rss) = (
        before.process.peak_rss + 400_000,
        before.functions[0].peak_rss + 1_000_000,
    );
    after.functions[0].lines[3].peak_rss += 500_000;
    let diff = compare(&before, &after);
    assert!(!diff.is_beyond_noise());
    assert_eq!(diff.worst(), None);
    for shown in [text(&diff, 200), markdown(&diff), page(&diff).unwrap()] {
        let shown = anstream::adapter::strip_str(&shown).to_string();
        assert!(
            shown.contains(
                "no change beyond noise (the heap decides; RSS moves by up to 0.492 MiB, of itself)"
            ),
            "{shown}"
        );
        assert!(
            shown.contains("as before, within noise (0.492 MiB)"),
            "{shown}"
        );
        assert!(!shown.contains('+') || shown.contains("+30.00"), "{shown}");
    }
}

#[test]
fn the_heap_decides_to_the_byte() {
    let before = counted(5_000_000, 100, MIB);
    // What was freed, 5,017,900 bytes, is as much as 78,404 blocks of 64 bytes; with the 100 that were allocated it is
    // √78,504 × 64 = 17,931.
    let change = |allocated, allocations, peak| {
        let diff = compare(&before, &counted(allocated, allocations, peak));
        let line = diff.functions[0].lines[2].clone();
        assert_eq!(line.source.trim(), "let part_3 = step_3(&text[3..]);");
        (diff.is_beyond_noise(), line.changes)
    };
    let (changed, changes) = change(5_017_900, 100, MIB);
    assert!(!changed, "{changes:?}");
    assert_eq!(changes.heap_allocated.noise, 17_931);
    let (changed, changes) = change(5_017_950, 100, MIB);
    assert!(changed && changes.churn() == 17_950, "{changes:?}");
    let (changed, changes) = change(5_000_000, 100, 2 * MIB);
    assert!(changed && changes.growth() == MIB as i64, "{changes:?}");
    // Three allocations of a hundred may come by chance, each as large as all that was alive.
    assert!(!change(5_000_000 + 3 * MIB, 103, MIB).0);
    assert!(change(5_000_000, 104, MIB).0);
}

/// Where other threads allocate meanwhile, who frees what, and when, is chance: what is alive says something only if
/// more was allocated.
#[test]
fn of_threads_a_peak_alone_says_nothing() {
    let concurrent = |allocated, peak| {
        let mut run = counted(allocated, 100, peak);
        let function = &mut run.functions[0];
        function.threads = 4;
        function.heap_elsewhere = Some(data!(HeapFigures {
            allocations: 1_000,
            ..HeapFigures::default()
        }));
        run
    };
    let before = concurrent(5_000_000, MIB);
    let peak_alone = compare(&before, &concurrent(5_000_000, 2 * MIB));
    assert!(!peak_alone.is_beyond_noise());
    let with_cause = compare(&before, &concurrent(5_000_000 + MIB, 2 * MIB));
    assert_eq!(
        with_cause.worst().unwrap().1.unwrap().changes.growth(),
        MIB as i64
    );
    // Three runs of each side show that it is no chance.
    let (before, after) = (&before, &concurrent(5_000_000, 2 * MIB));
    let repeated = compare_repeated(&[before; 3], &[after; 3]).unwrap();
    assert_eq!(repeated.worst().unwrap().0.changes.growth(), MIB as i64);
}

/// What one of several threads frees goes back to the system or stays, by what others have beside it, though no
/// reading of the line had to be divided.
#[test]
fn what_a_line_of_several_threads_gave_back_is_chance() {
    let gave_back = |threads, bytes: i64| {
        let mut run = counted(5_000_000, 100, 0);
        run.functions[0].threads = threads;
        run.functions[0].lines[2].net_rss = -bytes;
        run
    };
    let alone = compare(&gave_back(1, 0), &gave_back(1, 3 * MIB as i64));
    let line = |diff: &Diff| diff.functions[0].lines[2].changes.net_rss;
    assert!(line(&alone).counts, "{}", text(&alone, 160));
    let threads = compare(&gave_back(4, 0), &gave_back(4, 3 * MIB as i64));
    assert!(!line(&threads).counts, "{}", text(&threads, 160));
    // Nor by what others had whom one thread waited for.
    let waited = |bytes| {
        let mut run = gave_back(1, bytes);
        let elsewhere = run.functions[0].heap_elsewhere.get_or_insert_default();
        elsewhere.allocations = 1_000;
        run
    };
    let waited = compare(&waited(0), &waited(MIB as i64));
    assert!(!line(&waited).counts, "{}", text(&waited, 160));
}

/// A closure's work is the line's, whoever does it.
#[test]
fn work_that_other_threads_do_is_no_change() {
    let run = |own: u64| {
        let mut run = counted(own * 1_000, own, MIB);
        let function = &mut run.functions[0];
        for line in function
            .lines
            .iter_mut()
            .filter(|line| line.source.contains("part_3 "))
        {
            line.hits = own;
            let others = 900 - own;
            line.workers = Some(data!(Workers {
                hits: others,
                time_ns: 0,
                heap: Some(data!(HeapFigures {
                    allocated: others * 1_000,
                    freed: others * 1_000,
                    net: 0,
                    peak: MIB,
                    allocations: others,
                })),
            }));
        }
        run
    };
    let diff = compare(&run(100), &run(800));
    assert!(!diff.is_beyond_noise(), "{}", text(&diff, 200));
    assert_eq!(diff.functions[0].changes.allocations.after, Some(900));
}

/// How many calls there are, the time decides in a program that works for a while. What each takes is the same.
#[test]
fn more_calls_of_the_same_are_no_change_of_what_they_take() {
    let calls = |calls: u64, each: u64| {
        let mut run = counted(calls * each, calls, each);
        run.functions[0].calls = calls;
        for line in &mut run.functions[0].lines {
            line.hits = calls;
        }
        run
    };
    let before = calls(10_000, 1_000);
    assert!(!compare(&before, &calls(10_700, 1_000)).is_beyond_noise());
    let more = compare(&before, &calls(10_700, 1_100));
    assert_eq!(more.functions[0].changes.churn(), 1_770_000);
}

#[test]
fn of_repeats_the_spread_is_noise_and_the_median_is_shown() {
    let peak = |bytes: u64| {
        let mut run = parser();
        run.functions[0].peak_rss = bytes;
        run
    };
    let peaks = |bytes: [u64; 3]| bytes.map(|bytes| peak(bytes * 1_000));
    let compared = |before: [u64; 3], after: [u64; 3]| {
        let (before, after) = (peaks(before), peaks(after));
        let (before, after): (Vec<_>, Vec<_>) = (before.iter().collect(), after.iter().collect());
        compare_repeated(&before, &after).unwrap().functions[0]
            .changes
            .peak_rss
    };
    // 516,096 bytes of a pair are 103,219 of three and three.
    let change = compared([900, 800, 850], [1_100, 1_000, 1_010]);
    assert_eq!(
        (change.before, change.after),
        (Some(850_000), Some(1_010_000))
    );
    assert_eq!((change.noise, change.counts), (103_219, false));
    assert!(compared([850, 851, 852], [956, 960, 990]).counts);
    assert!(!compared([850, 851, 852], [955, 960, 990]).counts);
    assert!(!compared([700, 851, 852], [956, 960, 990]).counts);
    assert_eq!(compare_repeated(&[], &[&peak(1)]), None);
}

/// What a function did itself comes before what it had others do.
#[test]
fn self_figures_rank_where_they_are_known() {
    let own = |of_load: u64, of_load_all: u64| {
        let mut run = fixture::nested();
        run.heap = true;
        for function in &mut run.functions {
            let heap = |peak| {
                Some(data!(HeapFigures {
                    allocated: peak,
                    freed: peak,
                    net: 0,
                    peak,
                    allocations: 1,
                }))
            };
            // Both take it, as one calls the other.
            function.heap = heap(of_load + of_load_all);
            function.self_heap = heap(if function.label == "load" {
                of_load
            } else {
                of_load_all
            });
            for line in &mut function.lines {
                line.heap = Some(HeapFigures::default());
                line.self_heap = Some(HeapFigures::default());
            }
        }
        run
    };
    for (after, grown) in [(own(2 * MIB, MIB), "load"), (own(MIB, 2 * MIB), "load_all")] {
        let diff = compare(&own(MIB, MIB), &after);
        assert_eq!(diff.worst().unwrap().0.label, grown);
    }
}

/// Lines that were read together only: which of them took it is not known.
#[test]
fn what_was_read_together_is_no_line_s_change() {
    let mut before = parser();
    before.functions[0].groups = vec![data!(LineGroup {
        net_rss: 3 * MIB as i64,
        self_net_rss: 3 * MIB as i64,
        peak_rss: 3 * MIB,
        readings: 9,
    })];
    before.functions[0].lines[2].group = Some(0);
    let mut after = before.clone();
    after.functions[0].lines[2].net_rss += 3 * MIB as i64;
    assert!(!compare(&before, &after).is_beyond_noise());
    after.functions[0].lines[2].net_rss += MIB as i64;
    assert!(compare(&before, &after).is_beyond_noise());
}

/// Colours are for what grew or shrank: red and green would say so of what may be noise.
#[test]
fn noise_has_no_colour() {
    let coloured = |by: u64| {
        let mut after = parser();
        after.functions[0].peak_rss += by;
        let text = text(&compare(&parser(), &after), 140);
        text.contains("\u{1b}[31m") || text.contains("\u{1b}[32m")
    };
    assert!(!coloured(4096));
    assert!(coloured(MIB));
}

#[test]
fn what_a_pull_request_shows() {
    insta::assert_snapshot!(markdown(&compare(&fixture::nested(), &fixture::heap())));
}

#[test]
fn rows_fit_the_terminal_and_the_peak_stays() {
    for (before, after) in [
        (parser(), regressed()),
        (fixture::hostile(), fixture::heap()),
    ] {
        for columns in [50, 60, 80, 100, 160] {
            let text = text(&compare(&before, &after), columns);
            let text = anstream::adapter::strip_str(&text).to_string();
            let table = text
                .lines()
                .skip_while(|line| !line.contains("function, line"));
            assert!(table.clone().count() >= 3);
            assert!(
                table.clone().all(|line| visible::width(line) <= columns),
                "{text}"
            );
            assert!(text.contains("peak MiB"), "{text}");
            assert!(columns > 100 || !text.contains("calls, hits"), "{text}");
        }
    }
}

/// For people to look at: `cargo test -p memprof-report --lib diff_gallery -- --ignored`.
#[test]
fn functions_of_one_name_are_told_apart_across_both_runs() {
    let (mut old, mut new) = (fixture::nested(), fixture::nested());
    for (function, name) in old.functions.iter_mut().zip(["a::run", "b::run"]) {
        (function.name, function.label) = (name.into(), "run".into());
    }
    new.functions.remove(0);
    (new.functions[0].name, new.functions[0].label) = ("b::run".into(), "run".into());
    let diff = compare(&old, &new);
    let mut labels: Vec<_> = diff.functions.iter().map(|f| &f.label[..]).collect();
    labels.sort_unstable();
    assert_eq!(labels, ["a::run", "b::run"]);
}

#[test]
#[ignore = "writes target/gallery for people to look at"]
fn diff_gallery() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/gallery");
    std::fs::create_dir_all(&folder).unwrap();
    for (name, before, after) in [
        ("regressed", parser(), regressed()),
        ("hostile", fixture::hostile(), fixture::heap()),
    ] {
        let page = page(&compare(&before, &after)).unwrap();
        std::fs::write(folder.join(format!("diff-{name}.html")), page).unwrap();
    }
}
