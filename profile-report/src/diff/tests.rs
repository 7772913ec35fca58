//! A comparison from the runs to what is printed.

use memprof_model::data;
use memprof_model::run::{FunctionProfile, Line, Run};

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
                .all(|f| f.changes.count.change == 0 && f.weight() == 0),
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
