//! Every figure in every sentence is one of the table, or bounded by what the table and the samples hold: of all
//! fixtures and of random runs, in the terminal, in the text and on the page.
//!
//! A sentence that is not listed here with what must hold of it is a failure.

mod figures;
mod growth;
mod others;
mod story;
mod template;

use std::collections::BTreeMap;

use memprof_model::run::{FunctionProfile, Run};

use self::figures::Of;
use self::others::{FACTS, REMARKS, SHORT, STOPPED};
use self::story::{SENTENCES, Sentence};
use super::random_run::random_run;
use super::{between, plain};
use crate::fixture;
use crate::pages::function_page;
use crate::plain::summary;
use crate::plain::text_page::render;
use crate::words::findings::findings;
use crate::words::heap_story::{in_short, remarks};
use crate::words::stopped;
use crate::words::story::tell_plain;
use crate::words::watched;

/// How many random runs are looked at.
const RUNS: u64 = 500;

/// Reads `text` as one of `known` sentences behind another. Gives which these are, or says which figure is wrong.
fn judge(of: Of<'_>, text: &str, known: &[Sentence]) -> Result<Vec<&'static str>, String> {
    let mut rest = text;
    let mut told = Vec::new();
    while !rest.is_empty() {
        let fitting = known.iter().filter_map(|(template, holds)| {
            let (holes, rest) = template::begins(rest, template)?;
            Some((*template, holds(of, &holes), rest))
        });
        let mut wrong = Vec::new();
        let mut next = None;
        for (template, judged, behind) in fitting {
            match judged {
                Ok(()) => next = next.or(Some((template, behind))),
                Err(why) => wrong.push(format!("\n  as {template:?}: {why}")),
            }
        }
        let (template, behind) = next.ok_or_else(|| format!("{rest:?}{}", wrong.concat()))?;
        told.push(template);
        rest = behind;
    }
    Ok(told)
}

/// The story of a text: its third paragraph.
fn story_of_text(text: &str) -> String {
    text.split("\n\n").nth(2).unwrap_or_default().to_owned() + " "
}

/// The story of a page, code in backquotes.
fn story_of_page(page: &str) -> String {
    let story = between(page, "<p class=\"story\">", "</p>")[0];
    plain(&story.replace("<code>", "`").replace("</code>", "`")) + " "
}

/// The facts of a text, its second paragraph, each as `name: value`. Of a net and a peak whether they are of RSS is in
/// the name where the heap is counted.
fn facts_of_text(text: &str) -> String {
    let facts = text.split("\n\n").nth(1).unwrap_or_default().lines();
    let facts = facts.filter_map(|fact| fact.split_once("  "));
    let named = |(name, value): (&str, &str)| {
        let name = name.strip_suffix(" RSS").unwrap_or(name);
        format!("{name}: {}\n", value.trim_start())
    };
    facts.map(named).collect()
}

fn judge_function(run: &Run, function: &FunctionProfile) -> Result<(), String> {
    let of = Of { run, function };
    let text = render(run, function, &function.label);
    let page =
        function_page(run, function, "f", "f", "<svg></svg>").map_err(|error| error.to_string())?;
    let told = tell_plain(run, function) + " ";
    for shown in [&told, &story_of_text(&text), &story_of_page(&page)] {
        judge(of, shown, SENTENCES)?;
    }
    judge(of, &facts_of_text(&text), FACTS)?;
    growth::judge(of)?;
    for remark in remarks(run, function) {
        judge(of, &format!("{} {}\n", remark.line, remark.text), REMARKS)?;
        let (text_has, page_has) = (text.contains(&remark.text), page.contains(&remark.text));
        figures::holds("the remark is shown", text_has && page_has)?;
    }
    let short = in_short(run, function).unwrap_or_default();
    for part in short.split("; ").filter(|part| !part.is_empty()) {
        judge(of, &format!("{part}\n"), SHORT)?;
    }
    Ok(())
}

fn judge_run(run: &Run) -> Result<(), String> {
    for function in &run.functions {
        judge_function(run, function).map_err(|why| format!("{}: {why}", function.name))?;
    }
    let Some(function) = run.functions.first() else {
        return Ok(());
    };
    let terminal = anstream::adapter::strip_str(&summary(run, None, 10_000)).to_string();
    for sentence in stopped::sentences(run) {
        judge(Of { run, function }, &format!("{sentence}\n"), STOPPED)?;
        figures::holds("the terminal has it", terminal.contains(&sentence))?;
    }
    let shorts = run
        .functions
        .iter()
        .filter_map(|function| in_short(run, function));
    let shorts: Vec<_> = shorts.collect();
    let has_one = shorts.iter().any(|short| terminal.contains(short));
    figures::holds("the terminal has a remark", shorts.is_empty() || has_one)
}

#[test]
fn figures_in_sentences_of_fixtures_are_the_tables() {
    for (name, run) in fixture::all() {
        if name == "hostile" {
            continue; // Its source has backquotes and sentences of its own.
        }
        judge_run(&run).unwrap_or_else(|why| panic!("{name}: {why}"));
    }
}

#[test]
fn figures_in_sentences_of_random_runs_are_the_tables() {
    let mut times: BTreeMap<_, u32> = SENTENCES.iter().map(|known| (known.0, 0)).collect();
    for seed in 0..RUNS {
        let run = random_run(seed);
        judge_run(&run).unwrap_or_else(|why| panic!("seed {seed}: {why}"));
        for function in &run.functions {
            let told = tell_plain(&run, function) + " ";
            let told = judge(
                Of {
                    run: &run,
                    function,
                },
                &told,
                SENTENCES,
            );
            for sentence in told.unwrap_or_default() {
                *times.entry(sentence).or_default() += 1;
            }
        }
    }
    let told = times.values().filter(|&&times| times > 0).count();
    println!("{RUNS} runs, how often each sentence was told: {times:#?}");
    assert!(
        told * 4 > SENTENCES.len() * 3,
        "most sentences occur: {times:#?}"
    );
}

/// The first lines of the terminal and of the page: what a function leads in, with its line.
#[test]
fn figures_of_findings_are_those_of_functions() {
    let runs = fixture::all().into_iter().map(|(_, run)| run);
    let mut found = 0;
    for run in runs.chain((0..RUNS).map(random_run)) {
        for finding in findings(&run) {
            let function = &run.functions[finding.index];
            let own = function.self_heap.or(function.heap).unwrap_or_default();
            let alive: u64 = function
                .lines
                .iter()
                .filter_map(|line| line.origins)
                .map(|origins| origins.alive_bytes)
                .sum();
            let exact = match finding.title {
                "alive at the end" | "alive now" | "alive when last heard of" => alive,
                "not freed by it" => own.net.unsigned_abs(),
                "highest rise" => own.peak,
                "churn" => own.allocated,
                title => panic!("an unknown finding: {title}"),
            };
            assert_eq!(finding.bytes, exact, "{}: {}", function.name, finding.title);
            found += 1;
        }
    }
    assert!(found > 300, "{found}");
}

/// What is said of a process that was watched from outside.
#[test]
fn figures_of_a_watched_process_are_those_of_its_readings() {
    let run = fixture::watched();
    let watched = run.watched.as_ref().expect("it was");
    assert_eq!(
        watched::how(&run, watched),
        "PSS of the process and its children, every 10 ms"
    );
    let said = watched::children(watched);
    assert_eq!(said.len(), watched.children.len());
    for (child, said) in watched.children.iter().zip(said) {
        let (name, peak) = said.split_once(": peak ").expect("a name and a peak");
        assert_eq!(name, format!("{} {}", child.program, child.pid));
        figures::is_size(peak, child.peak_rss).unwrap_or_else(|why| panic!("{said}: {why}"));
    }
}

/// The test of the test: whatever figure of a sentence is changed, that is found.
#[test]
fn a_wrong_figure_in_a_sentence_is_found() {
    let mut planted = 0;
    for seed in 0..60 {
        let run = random_run(seed);
        for function in &run.functions {
            let of = Of {
                run: &run,
                function,
            };
            let told = tell_plain(&run, function) + " ";
            for (at, _) in told.match_indices(" MiB") {
                let begin = told[..at]
                    .rfind(|c: char| !c.is_ascii_digit() && c != '.')
                    .map_or(0, |at| at + 1);
                let Ok(value) = told[begin..at].parse::<f64>() else {
                    continue;
                };
                let wrong = format!(
                    "{}{:.3}{}",
                    &told[..begin],
                    value * 3.0 + 40_000.0,
                    &told[at..]
                );
                assert!(
                    judge(of, &wrong, SENTENCES).is_err(),
                    "seed {seed}: {wrong}"
                );
                planted += 1;
            }
            let unknown = format!("{told}It took 7.000 MiB. ");
            assert!(judge(of, &unknown, SENTENCES).is_err(), "seed {seed}");
        }
    }
    assert!(planted > 200, "{planted}");
}

/// Whole sentences that reports have told of a server whose live heap never passes 0.34 MiB.
#[test]
fn sentences_that_cannot_be_true_are_found() {
    let run = fixture::server();
    let function = &run.functions[1];
    for wrong in [
        "RSS did not follow 14906 MiB of live heap: it is not touched yet. ",
        "8.834 MiB of freed heap stayed resident: kept by the allocator for what is allocated next, no leak. ",
        "Other threads allocated 28310 MiB meanwhile and freed 28310 MiB, whatever for: that is in no line’s own heap figures. ",
        "After the call the process was 8.000 MiB larger. ",
    ] {
        assert!(
            judge(
                Of {
                    run: &run,
                    function
                },
                wrong,
                SENTENCES
            )
            .is_err(),
            "{wrong}"
        );
    }
}
