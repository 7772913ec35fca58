//! From a journal back to a run.
//!
//! Only what a `run` record has declared whole counts: figures of one moment, which agree. A record that
//! makes no sense is passed over; the file may come from anywhere.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;
use memprof_model::data;
use memprof_model::internal::{KeptCalls, untouched};
use memprof_model::run::{
    Call, FunctionProfile, Line, LineSample, Run, RunOutcome, Sample, Stopped,
};
use serde::de::DeserializeOwned;

use super::dat_record::{DatRecord, DatRecords, Memory};
use super::numbers::{self, MOST};
use super::plausible;
use crate::allowance::Allowance;
use crate::format::json;

/// What a program has written down of its run while it ran: its `mprofile.dat` before it has ended.
/// `None` if nothing in it is whole.
///
/// Figures are those of one moment, at most about a second before the file was read.
/// [`recover`](crate::recover()) makes reports of such files where the program is gone.
///
/// ```no_run
/// let journal = std::fs::read("target/memprof/latest/mprofile.dat")?;
/// if let Some(run) = memprof::report::parse_journal(&journal) {
///     println!("{}", memprof::report::summary(&run, None, 100));
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
#[must_use]
pub fn parse_journal(journal: &[u8]) -> Option<Run> {
    parse_journal_within(journal, Allowance::UNLIMITED)
}

/// As [`parse_journal`]; `None` also if the allowance was spent before the end of the journal.
pub(crate) fn parse_journal_within(journal: &[u8], allowance: Allowance) -> Option<Run> {
    let mut reading = Reading::default();
    for record in DatRecords::new(journal).flatten() {
        if allowance.is_spent() {
            return None;
        }
        match record {
            DatRecord::Memory(memory) => reading.memory.push((memory, None)),
            DatRecord::Other { kind, value } => reading.own(kind, value),
            _ => {}
        }
    }
    reading.finish()
}

/// A function, as far as it has been read.
#[derive(Debug, Default, Clone)]
struct Function {
    profile: Option<FunctionProfile>,
    source: String,
    numbers: Vec<u32>,
    lines: BTreeMap<usize, Line>,
    calls: Vec<Call>,
}

/// The calls in progress at a moment.
#[derive(Debug, Default)]
struct InProgress {
    /// On threads: of which function, and at which line.
    open: Vec<(usize, Option<u32>, Call)>,
    /// Suspended: of which function.
    suspended: Vec<(usize, Call)>,
}

impl InProgress {
    /// Those of the function with this number.
    fn of(&self, id: usize) -> impl Iterator<Item = &Call> {
        let open = self.open.iter().filter(move |(of, ..)| *of == id);
        let suspended = self.suspended.iter().filter(move |(of, _)| *of == id);
        let suspended = suspended.map(|(_, call)| call);
        open.map(|(.., call)| call).chain(suspended)
    }
}

/// Something to be done when the next `run` record has come.
#[derive(Debug)]
enum Change {
    Function(Box<FunctionProfile>),
    Source(String),
    Numbers(Vec<u32>),
    Line(usize, Box<Line>),
    Call(Call),
}

#[derive(Debug, Default)]
struct Reading {
    /// Each with the live heap, where that was counted.
    memory: Vec<(Memory, Option<u64>)>,
    /// A record that goes on in the next line, and its kind.
    begun: Option<(String, String)>,
    command: Vec<String>,
    changes: Vec<(usize, Change)>,
    in_progress: InProgress,
    functions: BTreeMap<usize, Function>,
    /// The last `run` record, and the calls in progress then.
    whole: Option<(Run, InProgress)>,
}

impl Reading {
    fn own(&mut self, kind: &str, value: &str) {
        if kind == "-" {
            return;
        }
        let (kind, more) = match kind.strip_suffix('+') {
            Some(kind) => (kind, true),
            None => (kind, false),
        };
        let mut text = match self.begun.take() {
            Some((begun, text)) if begun == kind => text,
            _ => String::new(),
        };
        text.push_str(value);
        if more {
            self.begun = Some((kind.to_owned(), text));
        } else {
            // What makes no sense is left out.
            let _ = self.record(kind, &text);
        }
    }

    fn record(&mut self, kind: &str, text: &str) -> Option<()> {
        let mut words = text.splitn(3, ' ');
        match kind {
            "command" => self.command = value(text)?,
            "heap" => {
                let (time, bytes) = text.split_once(' ')?;
                let last = self.memory.last_mut()?;
                if time.parse() == Ok(last.0.time) {
                    last.1 = Some(bytes.parse().ok().filter(|&bytes| bytes <= MOST)?);
                }
            }
            "run" => self.commit(value(text)?),
            "open" => {
                let (id, line) = (words.next()?.parse().ok()?, words.next()?.parse().ok());
                let call = value(words.next()?)?;
                self.in_progress.open.push((id, line, call));
            }
            "suspended" => {
                let (id, call) = text.split_once(' ')?;
                let call = (id.parse().ok()?, value(call)?);
                self.in_progress.suspended.push(call);
            }
            "line" => {
                let (id, at) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
                let line = value(words.next()?)?;
                self.changes.push((id, Change::Line(at, Box::new(line))));
            }
            _ => {
                let (id, json) = text.split_once(' ')?;
                let change = match kind {
                    "function" => Change::Function(Box::new(value(json)?)),
                    "source" => Change::Source(value(json)?),
                    "lines" => Change::Numbers(value(json)?),
                    "call" => Change::Call(value(json)?),
                    _ => return None,
                };
                self.changes.push((id.parse().ok()?, change));
            }
        }
        Some(())
    }

    /// Everything up to here is whole.
    fn commit(&mut self, run: Run) {
        for (id, change) in self.changes.drain(..) {
            let function = self.functions.entry(id).or_default();
            match change {
                Change::Function(profile) => function.profile = Some(*profile),
                Change::Source(source) => function.source = source,
                Change::Numbers(numbers) => function.numbers = numbers,
                Change::Line(at, line) => drop(function.lines.insert(at, *line)),
                Change::Call(call) => function.calls.push(call),
            }
        }
        self.whole = Some((run, std::mem::take(&mut self.in_progress)));
    }

    fn finish(self) -> Option<Run> {
        let (mut run, in_progress) = self.whole?;
        let start: Timestamp = run.started.parse().ok()?;
        run.outcome = RunOutcome::Recovered;
        run.command = self.command;
        run.duration_ns = last_heard(run.duration_ns, self.functions.values(), &in_progress);
        run.series = series(&self.memory, start, run.duration_ns);
        let mut places = BTreeMap::new();
        for (id, function) in self.functions {
            let running = in_progress.of(id);
            if let Some(profile) = function.finish(running, &run.series, run.origins.is_some()) {
                places.insert(id, run.functions.len());
                run.functions.push(profile);
            }
        }
        let open = in_progress.open.into_iter();
        let stopped =
            open.filter_map(|(id, line, call)| Some(Stopped::of(*places.get(&id)?, line, &call)));
        run.stopped = stopped.collect();
        run.stopped.sort_by_key(|call| (call.thread, call.depth));
        plausible::check(&run).is_ok().then_some(run)
    }
}

impl Function {
    fn finish<'call>(
        mut self,
        running: impl Iterator<Item = &'call Call>,
        series: &[Sample],
        followed: bool,
    ) -> Option<FunctionProfile> {
        let profile = self.profile.take()?;
        let lines = self.lines(&profile, followed);
        let mut call_records = self.records();
        // A call that ended while the entry was made may be in it as both.
        let ended: HashSet<_> = call_records.iter().map(identity).collect();
        let running = running.filter(|call| !ended.contains(&identity(call)));
        call_records.extend(running.cloned());
        call_records.sort_by_key(|call| (call.start_ns, call.depth));
        let read = (0..call_records.len()).filter(|&at| !call_records[at].only_counted);
        let best = read.max_by_key(|&at| {
            let call = &call_records[at];
            // Of several the one with these ends: the entry says which.
            let named = (call.entry_rss, call.exit_rss) == (profile.entry_rss, profile.exit_rss);
            (call.height(), named)
        });
        Some(data!(FunctionProfile {
            lines,
            calls_omitted: profile.calls.saturating_sub(call_records.len() as u64),
            series: best.map_or_else(Vec::new, |best| part(series, &call_records[best])),
            series_call: best,
            call_records,
            source: self.source,
            ..profile
        }))
    }

    /// The kept calls: those that the program itself would have kept.
    fn records(&mut self) -> Vec<Call> {
        let mut book = KeptCalls::default();
        for call in self.calls.drain(..) {
            book.add(call);
        }
        book.records()
    }

    fn lines(&mut self, profile: &FunctionProfile, followed: bool) -> Vec<Line> {
        let source: Vec<&str> = self.source.lines().collect();
        let numbers = self.numbers.iter().enumerate();
        let lines = numbers.map(|(at, &number)| {
            let text = number.checked_sub(profile.source_line);
            let text = text.and_then(|at| source.get(at as usize)).copied();
            let line = self.lines.remove(&at);
            data!(Line {
                source: text.unwrap_or("").to_owned(),
                ..line.unwrap_or_else(|| untouched(profile, number, followed))
            })
        });
        lines.collect()
    }
}

/// The last moment of which the journal tells something: calls are read a little after the entry has begun.
fn last_heard<'a>(
    entry_ns: u64,
    functions: impl Iterator<Item = &'a Function>,
    in_progress: &InProgress,
) -> u64 {
    let ended = functions.flat_map(|function| &function.calls);
    let open = in_progress.open.iter().map(|(.., call)| call);
    let suspended = in_progress.suspended.iter().map(|(_, call)| call);
    let calls = ended.chain(open).chain(suspended);
    calls.map(|call| call.end_ns).fold(entry_ns, u64::max)
}

/// The value of a record, if its numbers can be those of a run.
fn value<T: DeserializeOwned>(json: &str) -> Option<T> {
    numbers::check(json.as_bytes(), Allowance::UNLIMITED).ok()?;
    json::value_of(json.as_bytes()).ok()
}

/// What tells a call apart from all others of its function.
fn identity(call: &Call) -> (u64, u64, u32) {
    (call.thread, call.start_ns, call.depth)
}

/// The process over time: seconds of the world turned into nanoseconds of the run.
fn series(memory: &[(Memory, Option<u64>)], start: Timestamp, end_ns: u64) -> Vec<Sample> {
    let start_us = start.as_microsecond() as f64;
    let mut series: Vec<Sample> = memory
        .iter()
        .map(|(memory, heap)| {
            data!(Sample {
                // Numbers of the file's may be anything; `as` keeps them within their type.
                t_ns: ((memory.time * 1e6 - start_us).round() as u64).saturating_mul(1_000),
                rss: (memory.mib * 1_048_576.0).round() as u64,
                heap: *heap,
            })
        })
        .filter(|sample| sample.t_ns <= end_ns)
        .collect();
    series.sort_by_key(|sample| sample.t_ns);
    series
}

/// The part of the process's series in which `call` was in progress.
fn part(series: &[Sample], call: &Call) -> Vec<LineSample> {
    let within = series
        .iter()
        .filter(|sample| (call.start_ns..=call.end_ns).contains(&sample.t_ns));
    let ends = [
        (call.start_ns, call.entry_rss),
        (call.end_ns, call.exit_rss),
    ];
    let [first, last] = ends.map(|(t_ns, rss)| {
        data!(LineSample {
            t_ns,
            rss,
            heap: None,
            line: None,
        })
    });
    let within = within.map(|sample| {
        data!(LineSample {
            t_ns: sample.t_ns,
            rss: sample.rss,
            heap: sample.heap,
            line: None,
        })
    });
    std::iter::once(first).chain(within).chain([last]).collect()
}

#[cfg(test)]
mod tests {
    use memprof_model::run::Outcome;

    use super::*;

    /// A program that is killed in its only call. The call
    /// was read 40 ms after the entry had begun.
    const KILLED: &str = r#"CMDLINE ./stay
command ["./stay"]
MEM 5.75 1772370309.25
heap 1772370309.25 552
MEM 8.75 1772370311.27
heap 1772370311.27 3000552
source 1 "fn stay() {\n    let leaked = vec![2; 3_000_000];\n    sleep();\n}"
lines 1 [2,3]
function 1 {"name":"stay","label":"stay","file":"main.rs","line":1,"interval_ns":10000000,"calls":1,"panics":0,"threads":1,"time_ns":2020000000,"entry_rss":6029312,"exit_rss":9175040,"max_rss":9175040,"net_rss":3145728,"peak_rss":3145728,"peak_at":{"from_ns":1000,"to_ns":2000,"rss":9175040,"line":2},"heap":{"allocated":0,"freed":0,"net":0,"peak":0,"allocations":0},"heap_elsewhere":{"allocated":0,"freed":0,"net":0,"peak":0,"allocations":0},"source":"","source_line":1,"lines":[],"calls_omitted":0,"call_records":[],"series":[]}
line 1 0 {"line":2,"source":"","hits":1,"readings":1,"time_ns":1000,"net_rss":3145728,"peak_rss":3145728,"samples":0,"shared":0,"heap":{"allocated":3005000,"freed":5000,"net":3000000,"peak":3005000,"allocations":2}}
open 1 3 {"start_ns":20000000,"end_ns":2040000000,"suspended_ns":0,"thread":1,"depth":0,"outcome":"running","entry_rss":6029312,"exit_rss":9175040,"peak_rss":3145728,"net_rss":3145728,"suspended_rss":0}
run {"schema":"memprof/1","program":"stay","command":[],"pid":1,"started":"2026-03-01T14:05:09.250+01:00","duration_ns":2000000000,"backend":"statm","peak_method":"kernel","heap":true,"outcome":"running","process":{"peak_rss":9175040,"baseline_rss":6029312},"sampler":{"ticks_due":1,"ticks_taken":1,"longest_gap_ns":1},"overhead":{"readings":1,"reading_ns":1,"sampler_cpu_ns":1,"profiler_bytes":1},"series":[],"functions":[]}
"#;

    fn killed() -> Run {
        parse_journal(KILLED.as_bytes()).expect("a whole journal")
    }

    #[test]
    fn no_call_is_longer_than_its_run() {
        let run = killed();
        let call = &run.functions[0].call_records[0];
        assert_eq!(
            (call.outcome, call.end_ns),
            (Outcome::Running, 2_040_000_000)
        );
        assert_eq!(run.duration_ns, 2_040_000_000, "it was last heard of then");
        assert_eq!(run.series.len(), 2, "the last reading is in it");
        assert_eq!(run.stopped[0].time_ns, 2_020_000_000);
    }

    #[test]
    fn a_call_that_has_ended_is_as_long() {
        let ended = KILLED.replace("open 1 3", "call 1");
        let run = parse_journal(ended.as_bytes()).unwrap();
        assert_eq!(run.duration_ns, 2_040_000_000);
        assert!(run.stopped.is_empty());
    }
}
