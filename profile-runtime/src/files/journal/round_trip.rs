//! Tests that a written journal can be read: of every fixture, whole, cut off and damaged.

use memprof_model::data;
use memprof_model::internal::untouched;

use super::{FILE, Journal, TEXT};
use crate::snapshot::progress::{FunctionProgress, Progress};
use memprof_model::run::{Call, Followed, FunctionProfile, Line, Origins, Run, RunOutcome, Sample};
use memprof_report::{fixture, parse_journal};

/// The figures of the last entry before `run` was finished.
fn figures(run: &Run) -> Progress {
    let functions = run.functions.iter().enumerate().map(|(id, profile)| {
        let calls = profile.call_records.clone();
        FunctionProgress {
            id,
            source: String::leak(profile.source.clone()),
            profile: data!(FunctionProfile {
                source: String::new(),
                call_records: Vec::new(),
                series: Vec::new(),
                series_call: None,
                calls_omitted: 0,
                lines: profile.lines.iter().map(without_source).collect(),
                ..profile.clone()
            }),
            ended: calls.len() as u64,
            calls,
            running: Vec::new(),
            suspended: None,
        }
    });
    Progress {
        functions: functions.collect(),
        samples: run.series.clone(),
        now: data!(Sample {
            t_ns: run.duration_ns,
            rss: run.process.baseline_rss,
            heap: None,
        }),
        run: data!(Run {
            command: Vec::new(),
            series: Vec::new(),
            functions: Vec::new(),
            ..run.clone()
        }),
    }
}

fn without_source(line: &Line) -> Line {
    data!(Line {
        source: String::new(),
        ..line.clone()
    })
}

fn journal_of(run: &Run) -> (tempfile::TempDir, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::new(run.clone()).unwrap();
    journal.write(folder.path(), &figures(run)).unwrap();
    let text = std::fs::read(folder.path().join(FILE)).unwrap();
    (folder, text)
}

#[test]
fn journal_gives_figures_back_as_they_were() {
    for (name, run) in fixture::all() {
        if run.watched.is_some() {
            continue;
        }
        let (_folder, text) = journal_of(&run);
        let back = parse_journal(&text).unwrap_or_else(|| panic!("{name}"));
        assert_eq!(back.outcome, RunOutcome::Recovered);
        let header = |run: &Run| {
            (
                run.command.clone(),
                run.process,
                run.overhead,
                run.duration_ns,
            )
        };
        assert_eq!(header(&back), header(&run), "{name}");
        assert_eq!(back.functions.len(), run.functions.len(), "{name}");
        for (back, was) in back.functions.iter().zip(&run.functions) {
            assert_eq!(back.lines, was.lines, "{name} {}", was.name);
            assert_eq!(back.source, was.source, "{name}");
            assert_eq!(back.calls, was.calls, "{name}");
            assert_eq!(
                (back.net_rss, back.peak_rss),
                (was.net_rss, was.peak_rss),
                "{name}"
            );
            assert_eq!(back.heap, was.heap, "{name}");
            assert_eq!(back.spread, was.spread, "{name}");
            assert_eq!(back.highest_call(), was.highest_call(), "{name}");
        }
    }
}

/// However long a new journal is, no more than some pages of it are in memory.
#[test]
fn journal_that_is_new_and_long_is_written_in_pieces() {
    let mut run = fixture::inverse();
    let profile = &mut run.functions[0];
    let call = profile.call_records[0].clone();
    profile.call_records = (0..200)
        .map(|n| {
            data!(Call {
                start_ns: n,
                ..call.clone()
            })
        })
        .collect();
    profile.calls = 200;
    run.functions = vec![run.functions[0].clone(); 20];
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::new(run.clone()).unwrap();
    let bytes = journal.write(folder.path(), &figures(&run)).unwrap();
    let text = std::fs::read(folder.path().join(FILE)).unwrap();
    assert_eq!(text.len() as u64, bytes);
    assert!(bytes > 10 * TEXT as u64, "{bytes}");
    let held = journal.records.pages.bytes();
    assert!(held <= 2 * TEXT as u64, "{held} of {bytes}");
    let back = parse_journal(&text).expect("whole");
    let calls = back.functions.iter().map(|one| one.call_records.len());
    assert_eq!(calls.sum::<usize>(), 20 * 200);
}

#[test]
fn journal_gives_back_what_became_of_blocks() {
    let mut run = fixture::heap();
    run.origins = Some(data!(Followed {
        one_in: 8,
        all_from: 65_536,
        lost: 2,
    }));
    for (at, line) in run.functions[0].lines.iter_mut().enumerate() {
        line.origins = Some(data!(Origins {
            alive_bytes: 100 * at as u64,
            alive_blocks: at as u64,
            ..Origins::default()
        }));
    }
    // A line that has no record of its own.
    let profile = run.functions[0].clone();
    run.functions[0].lines[0] = data!(Line {
        source: profile.lines[0].source.clone(),
        ..untouched(&profile, profile.lines[0].line, true)
    });
    let (_folder, text) = journal_of(&run);
    let back = parse_journal(&text).unwrap();
    assert_eq!(back.origins, run.origins);
    assert_eq!(back.functions[0].lines, run.functions[0].lines);
}

#[test]
fn journal_cut_anywhere_gives_the_last_whole_entry_or_none() {
    let run = fixture::inverse();
    let (folder, whole) = journal_of(&run);
    let mut journal = Journal::new(run.clone()).unwrap();
    journal.write(folder.path(), &figures(&run)).unwrap();
    let mut later = run.clone();
    later.functions[0].calls += 1;
    later.duration_ns += 1;
    journal.write(folder.path(), &figures(&later)).unwrap();
    let text = std::fs::read(folder.path().join(FILE)).unwrap();
    for length in (0..text.len()).step_by(97).chain([whole.len(), text.len()]) {
        let calls = parse_journal(&text[..length]).map(|run| run.functions[0].calls);
        let expected = match length {
            _ if length < whole.len() => None,
            _ if length < text.len() => Some(run.functions[0].calls),
            _ => Some(later.functions[0].calls),
        };
        assert_eq!(calls, expected, "{length} of {}", text.len());
    }
}

#[test]
fn journal_with_garbage_is_read_without_a_panic() {
    let (_folder, mut text) = journal_of(&fixture::inverse());
    let mut seed = 7_u64;
    for _ in 0..300 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let at = (seed >> 20) as usize % text.len();
        text[at] = (seed >> 50) as u8;
        let _ = parse_journal(&text);
    }
}
