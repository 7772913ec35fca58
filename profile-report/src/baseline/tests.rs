//! Baselines as data and as text.

use memprof_model::data;
use memprof_model::run::{CallMaxima, HeapFigures, LineAtSize};
use proptest::prelude::*;

use super::key::program;
use super::*;
use crate::fixture;

fn key(function: &str) -> Key {
    Key {
        program: "words".to_owned(),
        function: function.to_owned(),
    }
}

fn entry(peak_rss: Option<u64>, heap: [u64; 3]) -> Entry {
    let [heap_peak, allocated, allocations] = heap.map(Some);
    Entry {
        peak_rss,
        heap_peak,
        allocated,
        allocations,
        ..Entry::default()
    }
}

fn baseline(entries: &[(&str, Entry)]) -> Baseline {
    let mut baseline = Baseline::default();
    for (name, entry) in entries {
        baseline.add(key(name), entry.clone());
    }
    baseline
}

/// A run whose function `demo::inverse` was watched call by call: line 29 took most.
fn watched_run(heap: [u64; 3], shared: u64) -> memprof_model::run::Run {
    let mut run = fixture::inverse();
    run.program = "demo-0123456789abcdef".to_owned();
    let [peak, allocated, allocations] = heap;
    let figures = data!(HeapFigures {
        allocated,
        peak,
        allocations,
        ..HeapFigures::default()
    });
    let line = |line, heap| {
        data!(LineAtSize {
            line,
            peak_rss: 8 << 20,
            net_rss: 0,
            time_ns: 0,
            heap: Some(heap),
        })
    };
    let little = data!(HeapFigures {
        peak: 10,
        allocated: 10,
        allocations: 1,
        ..HeapFigures::default()
    });
    run.functions[0].call_maxima = Some(data!(CallMaxima {
        calls: 12,
        shared,
        peak_rss: 8 << 20,
        heap: Some(figures),
        lines: vec![line(28, little), line(29, figures)],
    }));
    run
}

#[test]
fn the_file_is_sorted_and_one_line_for_each_function() {
    let mut kept = baseline(&[
        ("words::b", entry(None, [3, 4, 5])),
        ("words::a \"quoted\\\n", entry(Some(4096), [0, 0, 0])),
    ]);
    kept.add(
        Key {
            program: "all".to_owned(),
            function: "words::b".to_owned(),
        },
        Entry::default(),
    );
    kept.only = vec!["words".to_owned()];
    let text = kept.to_string();
    insta::assert_snapshot!(text);
    assert_eq!(Baseline::parse(&text), Ok(kept));
}

#[test]
fn what_is_wrong_is_said_with_its_line() {
    let error = |text: &str| Baseline::parse(text).unwrap_err().to_string();
    let functions =
        |text: &str| format!("{{ \"format\": 2, \"programs\": {{ \"w\": {{\n{text}\n}} }} }}");
    for (text, expected) in [
        ("", "line 1: the file is cut off here"),
        (
            "7",
            "line 1: invalid type: number, expected the settings and programs in braces",
        ),
        ("{}", "line 1: there is no `\"format\": 2`"),
        ("// only a comment\n{}", "there is no `\"format\": 2`"),
        ("# an earlier one\nformat = 1", "line 1: this is no JSON"),
        (
            "{ \"format\": 2 }\n7",
            "line 2: this is no JSON (trailing data)",
        ),
        (
            "{ \"format\": 3, \"more\": 7 }",
            "line 1: this version of memprof reads format 2, not 3",
        ),
        (
            "{\n\"format\": \"one\" }",
            "line 2: expected a JSON number, not a JSON string",
        ),
        ("{\n\"format\": 2\n!", "line 3: this is no JSON"),
        (
            "{\n\"tolerance\": 5 }",
            "line 2: expected a JSON string, not a JSON number",
        ),
        ("{\n\"tolerance\": \"5\" }", "line 2: expected a percentage"),
        (
            "{\n\"rss_floor\": \"5%\" }",
            "line 2: expected an amount of memory",
        ),
        (
            "{\n\"only\": \"x\" }",
            "line 2: expected a JSON array, not a JSON string",
        ),
        (
            "{\n\"floor\": 5 }",
            "line 2: unknown field `floor`, expected one of `about`, `format`, `tolerance`",
        ),
        (
            "{ \"format\": 2,\n\"format\": 2 }",
            "line 2: duplicate field `format`",
        ),
        (
            &functions("\"f\": 7"),
            "line 2: invalid type: number, expected the figures of a function in braces, but it is `\"f\": 7`",
        ),
        (
            &functions("\"f\": { \"peak\": 7 }"),
            "line 2: unknown field `peak`, expected one of `peak_rss`, `heap_peak`",
        ),
        (
            &functions("\"f\": { \"peak_rss\": -7 }"),
            "line 2: expected a whole number that is not negative",
        ),
        (
            &functions("\"f\": { \"peak_rss\": 7.5 }"),
            "line 2: expected a whole number that is not negative",
        ),
        (
            "{ \"programs\": { \"w\": {\n\"f\": { \"peak_rss\": 7",
            "line 2: the file is cut off here",
        ),
        (
            &functions("\"f\": {}\n\"g\": {}"),
            "line 3: this is no JSON (missing comma)",
        ),
        (
            &functions("\"f\": {},\n\"f\": {}"),
            "line 3: this name is there twice",
        ),
        (
            &functions("}, \"w\": {"),
            "line 2: this name is there twice",
        ),
        (
            &functions("<<<<<<< HEAD\n\"f\": {}"),
            "line 2: a merge that was not resolved is left here, but it is `<<<<<<< HEAD`",
        ),
    ] {
        let said = error(text);
        assert!(said.contains(expected), "{text:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

#[test]
fn a_file_that_somebody_has_edited_is_read() {
    let text = r#"
        {
        "only": [ "io::", ],   // not all of them
        "rss_floor": "64 KiB", "tolerance": "0.5%",
        "programs": { "words": { // the library's tests
            "words::f": { "allocations": 1000, }, /* why */
        } }, "format": 2
        }
    "#;
    let read = Baseline::parse(text).unwrap();
    assert_eq!(read.only, ["io::"]);
    let tolerance = Tolerance::default().percent(0.5).rss_floor(64 << 10);
    assert_eq!(read.tolerance, tolerance);
    assert_eq!(
        read.get(&key("words::f"))
            .and_then(|entry| entry.allocations),
        Some(1_000)
    );
}

#[test]
fn heap_is_compared_by_share_and_rss_with_a_floor() {
    let before = baseline(&[("f", entry(Some(1 << 20), [100_000, 100_000, 100]))]);
    let worse = |peak_rss, heap| {
        let now = baseline(&[("f", entry(peak_rss, heap))]);
        let worse = before.compare(&now).worse();
        worse.iter().map(|worse| worse.figure).collect::<Vec<_>>()
    };
    assert_eq!(worse(Some(2 << 20), [105_000, 105_000, 100]), []);
    assert_eq!(
        worse(Some((2 << 20) + 1), [105_001, 105_000, 105]),
        [Figure::PeakRss, Figure::HeapPeak]
    );
    assert_eq!(
        worse(None, [0, 105_001, 106]),
        [Figure::Allocated, Figure::Allocations]
    );
}

#[test]
fn new_functions_and_those_that_are_gone_are_no_failure() {
    let before = baseline(&[("f", Entry::default()), ("gone", Entry::default())]);
    let now = baseline(&[
        ("f", Entry::default()),
        ("new", entry(Some(1 << 40), [9; 3])),
    ]);
    let comparison = before.compare(&now);
    assert!(comparison.worse().is_empty() && comparison.message().is_empty());
    assert_eq!(comparison.new_functions(), [key("new")]);
    assert_eq!(comparison.gone(), [key("gone")]);
}

#[test]
fn only_some_functions_can_be_in() {
    let mut before = baseline(&[
        ("io::f", entry(None, [1; 3])),
        ("net::f", entry(None, [1; 3])),
    ]);
    before.only = vec!["io::".to_owned()];
    let now = baseline(&[
        ("io::f", entry(None, [200; 3])),
        ("net::f", entry(None, [200; 3])),
    ]);
    let worse = before.compare(&now).worse();
    assert_eq!(worse.len(), 3, "{worse:?}");
    assert!(worse.iter().all(|worse| worse.key == key("io::f")));
    before.accept(&now, None);
    assert!(before.get(&key("net::f")).is_none());
}

#[test]
fn accepting_replaces_and_removes_what_is_gone_where_that_is_known() {
    let old = entry(Some(1 << 20), [100, 100, 10]);
    let mut kept = baseline(&[("f", old.clone()), ("gone", old.clone())]);
    let now = baseline(&[("f", entry(Some((1 << 20) + 4096), [50, 50, 5]))]);
    kept.accept(&now, None);
    // Pages come and go: that is no reason to change the file.
    assert_eq!(
        kept,
        baseline(&[
            ("f", entry(Some(1 << 20), [50, 50, 5])),
            ("gone", old.clone())
        ])
    );
    kept.accept(&now, Some("another"));
    assert!(kept.get(&key("gone")).is_some());
    kept.accept(&now, Some("words"));
    assert!(kept.get(&key("gone")).is_none());
    // More than chance.
    kept.accept(&baseline(&[("f", entry(Some(3 << 20), [50, 50, 5]))]), None);
    assert_eq!(kept, baseline(&[("f", entry(Some(3 << 20), [50, 50, 5]))]));
    // Not known this time.
    kept.accept(&baseline(&[("f", entry(None, [50, 50, 5]))]), None);
    assert_eq!(kept, baseline(&[("f", entry(Some(3 << 20), [50, 50, 5]))]));
}

#[test]
fn of_a_run_the_most_that_single_calls_took() {
    let now = Baseline::of(&watched_run([700, 900, 3], 0));
    let (key, found) = now.entries().next().unwrap();
    assert_eq!(
        (key.program.as_str(), key.function.as_str()),
        ("demo", "demo::inverse")
    );
    assert_eq!(found, &entry(Some(8 << 20), [700, 900, 3]));
    // Others touched memory meanwhile: whose it is cannot be told.
    let shared = Baseline::of(&watched_run([700, 900, 3], 1));
    assert_eq!(shared.get(key), Some(&entry(None, [700, 900, 3])));
}

#[test]
fn of_an_ordinary_run_what_its_sums_tell() {
    let run = fixture::heap();
    let now = Baseline::of(&run);
    assert_eq!(now.entries().count(), run.functions.len());
    for (key, entry) in now.entries() {
        let function = run
            .functions
            .iter()
            .find(|function| function.name == key.function)
            .unwrap();
        let heap = function.heap.unwrap();
        assert_eq!(entry.heap_peak, Some(heap.peak));
        assert_eq!(
            entry.allocated,
            (function.calls == 1).then_some(heap.allocated)
        );
    }
}

#[test]
fn the_message_names_figures_and_lines() {
    let before = Baseline::of(&watched_run([640, 900, 3], 0));
    let now = Baseline::of(&watched_run([64 << 20, 900, 4], 0));
    let comparison = before.compare(&now);
    insta::assert_snapshot!(format!(
        "{}\n\n{}",
        comparison.message(),
        comparison.markdown("demo")
    ));
}

#[test]
fn cargos_hashes_are_left_out() {
    assert_eq!(program("words-0123456789abcdef"), "words");
    assert_eq!(program("words-0123456789abcdef.exe"), "words");
    for name in [
        "words",
        "words-of-a-language",
        "words-0123",
        "w-0123456789abcdeg",
    ] {
        assert_eq!(program(name), format!("{name} (program)"));
    }
}

prop_compose! {
    fn any_entry()(figures in any::<[Option<u64>; 4]>()) -> Entry {
        let [peak_rss, heap_peak, allocated, allocations] = figures;
        Entry { peak_rss, heap_peak, allocated, allocations, ..Entry::default() }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever functions are called, the file says what it was made of.
    #[test]
    fn what_is_written_is_read(
        entries in prop::collection::vec((any::<[String; 2]>(), any_entry()), 0..6),
        only in prop::collection::vec(any::<String>(), 0..3),
    ) {
        let mut baseline = Baseline { only, ..Baseline::default() };
        for ([program, function], entry) in entries {
            baseline.add(Key { program, function }, entry);
        }
        prop_assert_eq!(Baseline::parse(&baseline.to_string()), Ok(baseline));
    }

    /// Any text is read or refused, and never more is said than fits a line.
    #[test]
    fn any_text_is_read_or_refused(text in "(\\{\"format\": 2)?(\\PC|\n|\"|\\[|\\]|\\{|\\}|:|,|\\\\){0,60}") {
        if let Err(error) = Baseline::parse(&text) {
            prop_assert!(error.to_string().chars().count() < 300);
        }
    }
}
