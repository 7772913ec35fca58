//! An mprof file as a run, so that whatever shows and compares runs does it with Python's too.

use std::collections::VecDeque;

use jiff::Timestamp;
use memprof_model::data;
use memprof_model::internal::KeptCalls;
use memprof_model::run::Series;
use memprof_model::run::{
    Call, FunctionProfile, LineSample, Measure, Outcome, Overhead, PeakAt, PeakMethod, Process,
    Run, RunOutcome, SCHEMA, Sample, SamplerReport, Watched, WatchedChild,
};

use super::dat_file::{ChildMemory, DatCall, DatFile, DatFunction};
use super::dat_record::Memory;
use super::numbers::MOST;
use super::samples::{Samples, higher};

impl DatFile {
    /// The file as a run: the process over time, and its functions with their calls, without lines.
    ///
    /// Peaks are the highest samples. What the file does not tell is 0 or empty: the process's number,
    /// what the measurement cost. Children are in [`Run::watched`].
    #[must_use]
    pub fn to_run(&self) -> Run {
        let clock = Clock::new(self);
        let samples = samples(self, &clock);
        let all = samples.all();
        let command = words(self.command.as_deref().unwrap_or_default());
        let mut series = Series::new(Sample::default());
        all.iter().for_each(|&sample| series.push(sample));
        let gaps = all.windows(2).map(|pair| pair[1].t_ns - pair[0].t_ns);
        data!(Run {
            schema: SCHEMA.to_owned(),
            program: program(&command),
            command,
            pid: 0,
            started: clock.start.to_string(),
            duration_ns: clock.duration_ns(self),
            backend: "mprof".to_owned(),
            peak_method: PeakMethod::Sampled,
            heap: false,
            outcome: if self.torn.is_some() {
                RunOutcome::Running
            } else {
                RunOutcome::Exited
            },
            process: data!(Process {
                peak_rss: samples.highest(0, u64::MAX).map_or(0, |s| s.rss),
                baseline_rss: all.first().map_or(0, |sample| sample.rss),
            }),
            sampler: data!(SamplerReport {
                ticks_due: all.len() as u64,
                ticks_taken: all.len() as u64,
                longest_gap_ns: gaps.max().unwrap_or(0),
                missing: false,
            }),
            overhead: data!(Overhead {
                readings: 0,
                reading_ns: 0,
                sampler_cpu_ns: 0,
                profiler_bytes: 0,
                start_rss: 0,
                heap_rss: None,
            }),
            series: series.points().to_vec(),
            functions: self
                .functions
                .iter()
                .map(|f| profile(f, &samples, &clock))
                .collect(),
            stopped: Vec::new(),
            origins: None,
            low_memory_ns: None,
            watched: (!self.children.is_empty()).then(|| watched(self, &clock)),
        })
    }
}

impl DatFile {
    /// Every reading of the process, those at entries and exits included, in order of time: nanoseconds
    /// since the first, and bytes.
    pub(crate) fn all_memory(&self) -> Vec<(u64, u64)> {
        let samples = samples_of(&self.readings(), &Clock::new(self));
        samples.iter().map(|s| (s.t_ns, s.rss)).collect()
    }

    /// The same as they stand in the file: seconds since the first, and MiB.
    pub(crate) fn exact_memory(&self) -> Vec<(f64, f64)> {
        let readings = self.readings();
        let first = readings.first().map_or(0.0, |reading| reading.time);
        let exact = readings
            .iter()
            .map(|reading| (reading.time - first, reading.mib));
        exact.collect()
    }

    fn readings(&self) -> Vec<Memory> {
        let calls = self.functions.iter().flat_map(|function| &function.calls);
        let ends = calls.flat_map(|call| [call.entry, call.exit]);
        let mut all: Vec<Memory> = self.memory.iter().copied().chain(ends).collect();
        all.sort_by(|a, b| a.time.total_cmp(&b.time));
        all
    }
}

/// What mprof saw of the process's children, as from outside.
fn watched(file: &DatFile, clock: &Clock) -> Watched {
    let gaps = file.memory.len().saturating_sub(1).max(1) as u64;
    data!(Watched {
        measure: Measure::Rss,
        interval_ns: clock.duration_ns(file) / gaps,
        summed: false,
        ended: "not told by the file".to_owned(),
        children: file
            .children
            .iter()
            .map(|child| watched_child(child, clock))
            .collect(),
    })
}

fn watched_child(child: &ChildMemory, clock: &Clock) -> WatchedChild {
    let samples = samples_of(&child.memory, clock);
    let mut series = Series::new(Sample::default());
    samples.iter().for_each(|&sample| series.push(sample));
    data!(WatchedChild {
        pid: child.child.parse().unwrap_or(0),
        program: "child".to_owned(),
        peak_rss: samples.iter().map(|sample| sample.rss).max().unwrap_or(0),
        series: series.points().to_vec(),
    })
}

/// Turns seconds of the world into nanoseconds of the run.
struct Clock {
    start: Timestamp,
    first: f64,
}

impl Clock {
    fn new(file: &DatFile) -> Self {
        let first = times(file).min_by(f64::total_cmp).unwrap_or(0.0);
        let start = Timestamp::from_microsecond((first * 1e6) as i64);
        Self {
            start: start.unwrap_or(Timestamp::UNIX_EPOCH),
            first,
        }
    }

    /// To the microsecond, which is what a double keeps of a time in this century.
    fn t_ns(&self, time: f64) -> u64 {
        (((time - self.first) * 1e6).round() as u64)
            .saturating_mul(1_000)
            .min(MOST)
    }

    fn duration_ns(&self, file: &DatFile) -> u64 {
        times(file).map(|time| self.t_ns(time)).max().unwrap_or(0)
    }
}

/// Every time in the file that belongs to the process.
fn times(file: &DatFile) -> impl Iterator<Item = f64> {
    let calls = file.functions.iter().flat_map(|f| &f.calls);
    let ends = calls.flat_map(|call| [call.entry.time, call.exit.time]);
    file.memory.iter().map(|memory| memory.time).chain(ends)
}

/// Bytes; -1 stands for a process that was gone.
fn bytes(memory: Memory) -> u64 {
    (memory.mib * 1_048_576.0).round() as u64
}

/// The process's samples.
fn samples(file: &DatFile, clock: &Clock) -> Samples {
    Samples::new(samples_of(&file.memory, clock))
}

fn samples_of(memory: &[Memory], clock: &Clock) -> Vec<Sample> {
    let present = memory.iter().filter(|memory| memory.mib >= 0.0);
    let sample = |&memory: &Memory| {
        data!(Sample {
            t_ns: clock.t_ns(memory.time),
            rss: bytes(memory),
            heap: None,
        })
    };
    present.map(sample).collect()
}

fn profile(function: &DatFunction, samples: &Samples, clock: &Clock) -> FunctionProfile {
    let mut calls: Vec<_> = function
        .calls
        .iter()
        .map(|call| one_call(call, samples, clock))
        .collect();
    calls.sort_by_key(|(call, _)| (call.start_ns, call.depth));
    let mut kept = KeptCalls::default();
    calls.iter().for_each(|(call, _)| kept.add(call.clone()));
    let call_records = kept.records();
    // The first of those with the highest peak: one of them is kept in any case.
    let highest = call_records
        .iter()
        .map(|call| call.peak_rss)
        .max()
        .unwrap_or(0);
    let series_call = call_records
        .iter()
        .position(|call| call.peak_rss == highest);
    let shown = series_call.and_then(|at| call_records.get(at)).cloned();
    let peak_at = calls
        .iter()
        .find(|(call, _)| Some(call) == shown.as_ref())
        .and_then(|(_, at)| *at);
    let sum = |figure: &dyn Fn(&Call) -> u64| {
        calls.iter().fold(0, |sum, (call, _)| {
            figure(call).saturating_add(sum).min(MOST)
        })
    };
    let max = calls
        .iter()
        .map(|(call, _)| {
            call.entry_rss
                .saturating_add(call.peak_rss)
                .max(call.exit_rss)
        })
        .max();
    data!(FunctionProfile {
        name: function.name.clone(),
        label: function
            .name
            .rsplit('.')
            .next()
            .unwrap_or_default()
            .to_owned(),
        file: String::new(),
        line: 0,
        interval_ns: 0,
        calls: calls.len() as u64,
        panics: 0,
        threads: 1,
        time_ns: sum(&|call| call.end_ns - call.start_ns),
        entry_rss: shown.as_ref().map_or(0, |call| call.entry_rss),
        exit_rss: shown.as_ref().map_or(0, |call| call.exit_rss),
        max_rss: max.unwrap_or(0),
        net_rss: calls.iter().fold(0, |sum, (call, _)| {
            call.net_rss
                .saturating_add(sum)
                .clamp(-(MOST as i64), MOST as i64)
        }),
        peak_rss: highest,
        peak_at,
        heap: None,
        heap_elsewhere: None,
        source: String::new(),
        source_line: 0,
        lines: Vec::new(),
        calls_omitted: (calls.len() - call_records.len()) as u64,
        series: shown.map_or_else(Vec::new, |call| series_of(&call, samples)),
        call_records,
        series_call,
        by: None,
        sizes: Vec::new(),
        growth: Vec::new(),
        call_maxima: None,
    })
}

/// The call, and when it was highest.
fn one_call(call: &DatCall, samples: &Samples, clock: &Clock) -> (Call, Option<PeakAt>) {
    let start_ns = clock.t_ns(call.entry.time);
    let end_ns = clock.t_ns(call.exit.time).max(start_ns);
    let (entry_rss, exit_rss) = (bytes(call.entry), bytes(call.exit));
    let exit = data!(Sample {
        t_ns: end_ns,
        rss: exit_rss,
        heap: None,
    });
    let seen = samples.highest(start_ns, end_ns);
    let top = seen.map_or(exit, |seen| higher(seen, exit));
    let peak_rss = top.rss.saturating_sub(entry_rss);
    let peak_at = (peak_rss > 0).then_some(data!(PeakAt {
        from_ns: top.t_ns,
        to_ns: top.t_ns,
        rss: top.rss,
        line: None,
    }));
    let call = data!(Call {
        start_ns,
        end_ns,
        suspended_ns: 0,
        thread: 1,
        depth: call.level.unwrap_or(0),
        by: None,
        outcome: Outcome::Returned,
        entry_rss,
        exit_rss,
        peak_rss,
        net_rss: exit_rss as i64 - entry_rss as i64,
        suspended_rss: 0,
    });
    (call, peak_at)
}

fn series_of(call: &Call, samples: &Samples) -> Vec<LineSample> {
    let mut series = Series::new(Sample::default());
    let during = samples.during(call.start_ns, call.end_ns);
    during.iter().for_each(|&sample| series.push(sample));
    let without_line = |sample: &Sample| {
        data!(LineSample {
            t_ns: sample.t_ns,
            rss: sample.rss,
            heap: None,
            line: None,
        })
    };
    series.points().iter().map(without_line).collect()
}

/// The program's file name; Python's script where the program is Python.
fn program(command: &[String]) -> String {
    let name = |word: &String| {
        word.rsplit(['/', '\\'])
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    let mut names: VecDeque<_> = command.iter().map(name).collect();
    let script = names.iter().position(|name| name.ends_with(".py"));
    match script {
        Some(at) if names[0].starts_with("python") => names.swap_remove_back(at),
        _ => names.pop_front(),
    }
    .unwrap_or_default()
}

/// The arguments of a command line as mprof writes it: those with blanks in single quotes.
fn words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = command.trim();
    while !rest.is_empty() {
        let quoted = rest.strip_prefix('\'').and_then(|inner| {
            inner
                .split_once("' ")
                .or_else(|| Some((inner.strip_suffix('\'')?, "")))
        });
        let (word, behind) = quoted
            .or_else(|| rest.split_once(' '))
            .unwrap_or((rest, ""));
        words.push(word.to_owned());
        rest = behind.trim_start();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::format::json::to_json;
    use crate::format::mprof;
    use crate::read::dat_file::parse_dat;
    use crate::read::run_json::parse_run;
    use crate::store::RunFolder;
    use crate::store::write;

    /// Whether `run`, saved, can be read again.
    #[track_caller]
    fn is_like_any_other(run: &Run) {
        let text = to_json(run).unwrap();
        assert_eq!(&parse_run(text.as_bytes()).unwrap(), run);
    }

    #[test]
    fn children_have_curves_of_their_own() {
        let text =
            b"CMDLINE make\nMEM 1.0 100.0\nCHLD 0 2.0 100.1\nCHLD 1 5.0 100.1\nMEM 1.5 100.2\n\
            CHLD 0 3.0 100.3\n";
        let run = parse_dat(text).unwrap().to_run();
        let watched = run.watched.unwrap();
        let peaks: Vec<_> = watched
            .children
            .iter()
            .map(|c| (c.pid, c.peak_rss))
            .collect();
        assert_eq!(peaks, [(0, 3 << 20), (1, 5 << 20)]);
        assert_eq!(watched.children[0].series[0].t_ns, 100_000_000);
        assert_eq!(run.process.peak_rss, 3 << 19);
    }

    #[test]
    fn a_run_comes_back_but_for_what_the_file_cannot_hold() {
        for (name, run) in fixture::all() {
            let text = mprof::render(&run).unwrap();
            let back = parse_dat(text.as_bytes()).unwrap().to_run();
            is_like_any_other(&back);
            assert_eq!(back.functions.len(), run.functions.len(), "{name}");
            for (function, recorded) in back.functions.iter().zip(&run.functions) {
                // Six decimals of a MiB are a byte, and a half is lost at either end of a call.
                let of_records = recorded
                    .read_calls()
                    .map(|c| c.exit_rss as i64 - c.entry_rss as i64);
                let off = function.net_rss.abs_diff(of_records.sum());
                let calls = recorded.read_calls().count() as u64;
                assert!(off <= calls, "{name}: {off}");
                assert_eq!(function.calls, calls, "{name}");
            }
        }
    }

    #[test]
    fn the_demo_s_figures() {
        let run = fixture::inverse();
        let text = mprof::render(&run).unwrap();
        let back = parse_dat(text.as_bytes()).unwrap().to_run();
        let (function, recorded) = (&back.functions[0], &run.functions[0]);
        assert_eq!(back.program, "demo");
        assert_eq!(back.started, "2026-03-01T13:05:09.25Z");
        assert_eq!(function.peak_rss, recorded.peak_rss);
        assert_eq!(function.series_call, recorded.series_call);
        assert_eq!(function.peak_at.unwrap().rss, recorded.peak_at.unwrap().rss);
        assert_eq!(back.process.peak_rss, run.process.peak_rss);
    }

    #[test]
    fn what_python_wrote_can_be_shown() {
        let text = b"CMDLINE /usr/bin/python3 ../my.py 'a b'\nMEM 10.5 1700000000.1000\n\
            MEM -1.000000 1700000000.9\nMEM 30.5 1700000000.2000\nCHLD 0 1.0 1700000000.2\n\
            MEM 20.0 1700000000.3000\nFUNC __main__.f 10.0000 1700000000.1500 21.0000 1700000000.4000 0\n";
        let run = parse_dat(text).unwrap().to_run();
        assert_eq!((&run.program[..], run.command.len()), ("my.py", 3));
        assert_eq!(
            (run.process.peak_rss, run.process.baseline_rss),
            (61 << 19, 21 << 19)
        );
        let f = &run.functions[0];
        assert_eq!(
            (&f.label[..], f.calls, f.net_rss, f.peak_rss),
            ("f", 1, 11 << 20, 41 << 19)
        );
        assert_eq!(f.series.len(), 2);
        let root = tempfile::tempdir().unwrap();
        write(&run, root.path(), &RunFolder::new()).unwrap();
    }

    #[test]
    fn strange_files_make_runs_too() {
        for text in [
            "CMDLINE \n",
            "CMDLINE '\n",
            "MEM 1e11 1e11\nMEM 1 -1e11\n",
            "FUNC f -1e11 -1e11 1e11 1e11\nFUNC f -1e11 -1e11 1e11 1e11\nFUNC f -1e11 -1e11 1e11 1e11\n",
            "FUNC f 1e11 1e11 -5 -1e11 4294967295\nFUNC f 1 2 3 1\n",
        ] {
            let run = parse_dat(text.as_bytes()).unwrap().to_run();
            is_like_any_other(&run);
            let root = tempfile::tempdir().unwrap();
            write(&run, root.path(), &RunFolder::new()).unwrap();
        }
    }

    #[test]
    fn command_lines_are_taken_apart() {
        assert_eq!(words(" ./a 'b c' d  e"), ["./a", "b c", "d", "e"]);
        assert_eq!(words("'a b'"), ["a b"]);
        assert_eq!(words("it's"), ["it's"]);
        assert_eq!(words("'open"), ["'open"]);
    }
}
