//! From what the lanes and books hold to a [`Run`]: the run so far, as data.

use std::time::SystemTime;

use crate::calls::{Best, CallBook, LinePoint};
use crate::heap::{self, Counts};
use crate::log::OpenCall;
use crate::recorder::Recorder;
use crate::run::{
    Call, HeapFigures, Line, LineSample, Overhead, Process, Profile, Run, RunOutcome, SCHEMA,
    Workers,
};
use crate::site::Registered;
use crate::tally::{LineTally, SiteTally};

/// The run so far. Calls in progress count as if they ended now, with outcome
/// [`Outcome::Running`](crate::run::Outcome::Running). `None` when nothing is recorded: no annotated call yet, or `MEMPROF=0`.
///
/// Takes time in proportion to the number of functions called (about 10 µs each), and none from
/// other threads but a short wait at their next probe.
///
/// ```
/// #[memprof::profile_memory]
/// fn work() -> Vec<u8> {
///     vec![1; 1 << 20]
/// }
///
/// # let dir = std::env::temp_dir().join("memprof-doc");
/// # memprof::Settings::new().dir(dir).quiet(true).apply().unwrap();
/// work();
/// let run = memprof::snapshot().expect("a call was made");
/// assert_eq!(run.functions[0].label, "work");
/// assert_eq!(run.functions[0].calls, 1);
/// ```
#[must_use]
pub fn snapshot() -> Option<Run> {
    Recorder::running().map(|recorder| take(recorder, RunOutcome::Running))
}

/// The run of `recorder` as data.
pub(crate) fn take(recorder: &'static Recorder, outcome: RunOutcome) -> Run {
    let now = recorder.meter().read_for_all();
    let mut books = Vec::new();
    recorder.meter().for_each_lane(|lane| {
        books.push(lane.snapshot(now));
    });
    let sites = recorder.sites();
    let functions = sites
        .iter()
        .filter(|site| !site.spec.is_own())
        .filter_map(|site| function(site, &books))
        .collect();
    let bytes = held_bytes(recorder, &sites);
    let command: Vec<String> = std::env::args_os()
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect();
    let state = recorder.meter().state();
    Run {
        schema: SCHEMA.to_owned(),
        program: program(&command),
        command,
        pid: std::process::id(),
        started: rfc3339(recorder.started_at()),
        duration_ns: now.t_ns,
        backend: state.backend().to_owned(),
        peak_method: state.peak_method(),
        heap: heap::is_counted(),
        outcome,
        process: Process {
            peak_rss: state.process_peak,
            baseline_rss: state.baseline,
        },
        sampler: recorder.sampler().report(),
        overhead: Overhead {
            readings: state.readings,
            reading_ns: state.reading_ns,
            sampler_cpu_ns: recorder.sampler().cpu_ns(),
            profiler_bytes: bytes + state.bytes(),
        },
        series: state.series.points().to_vec(),
        functions,
        watched: None,
    }
}

/// What one lane gave: its tallies, and its calls in progress as if they ended now.
type LaneBook = (Vec<SiteTally>, Vec<(OpenCall, Call)>);

/// `None` for a site whose first call is not on any book yet.
fn function(site: &'static Registered, books: &[LaneBook]) -> Option<Profile> {
    let tallies: Vec<&SiteTally> = books
        .iter()
        .flat_map(|(tallies, _)| tallies)
        .filter(|tally| tally.site.id == site.id)
        .collect();
    // A lane whose thread only ran closures of the function has a tally without calls.
    let calls: u64 = tallies.iter().map(|tally| tally.cells.calls()).sum();
    if calls == 0 {
        return None;
    }
    let peak = tallies.iter().map(|tally| tally.peak).max()?;
    let book = with_running(site, books);
    let mut call_records = book.records();
    call_records.sort_by_key(|call| (call.start_ns, call.depth));
    let best = book.best();
    let sum = |of: fn(&SiteTally) -> Counts| {
        let counts = tallies.iter().map(|tally| of(tally));
        counts.fold(Counts::default(), Counts::plus)
    };
    let (heap, others) = (sum(|tally| tally.all_heap().0), sum(|tally| tally.others));
    Some(Profile {
        name: site.name.clone(),
        label: site.label.clone(),
        file: site.spec.file.to_owned(),
        line: site.spec.line,
        interval_ns: site.interval_ns,
        calls,
        panics: tallies.iter().map(|tally| tally.all_panics()).sum(),
        threads: tallies.iter().map(|tally| tally.threads).sum(),
        time_ns: tallies.iter().map(|tally| tally.time_ns).sum(),
        entry_rss: best.map_or(0, |best| best.call.entry_rss),
        exit_rss: best.map_or(0, |best| best.call.exit_rss),
        max_rss: tallies.iter().map(|tally| tally.high).max()?,
        net_rss: tallies.iter().map(|tally| tally.net).sum(),
        peak_rss: peak,
        peak_at: best.and_then(|best| best.peak_at),
        heap: counted(heap, tallies.iter().map(|tally| tally.all_heap().1).max()),
        heap_elsewhere: counted(others, None),
        source: site.spec.source.to_owned(),
        source_line: site.spec.source_line,
        lines: lines(site, &tallies),
        calls_omitted: calls.saturating_sub(call_records.len() as u64),
        series_call: best.and_then(|best| call_records.iter().position(|call| *call == best.call)),
        series: best.map_or_else(Vec::new, |best| series(site, best)),
        call_records,
    })
}

/// The site's book with the calls in progress added.
fn with_running(site: &'static Registered, books: &[LaneBook]) -> CallBook {
    let mut book = site.calls().clone();
    let running = books.iter().flat_map(|(_, running)| running);
    for (open, record) in running.filter(|(open, _)| open.site.id == site.id) {
        book.add(record.clone());
        if book.beats_best(record.peak_rss) {
            book.set_best(open.as_best(record));
        }
    }
    for record in site.suspended().0 {
        book.add(record);
    }
    book
}

fn lines(site: &Registered, tallies: &[&SiteTally]) -> Vec<Line> {
    let numbers = site.spec.lines.iter().enumerate();
    numbers
        .map(|(at, &number)| line(site, tallies, at, number))
        .collect()
}

/// The line `number`, which is at place `at` in the site's list.
fn line(site: &Registered, tallies: &[&SiteTally], at: usize, number: u32) -> Line {
    let mut sum = LineTally::default();
    let mut hits = 0;
    let (mut heap, mut heap_peak) = (Counts::default(), 0);
    for tally in tallies {
        sum.add(&tally.lines[at]);
        if let Some(cells) = tally.cells.line(at) {
            let (counts, peak) = cells.heap();
            hits += cells.hits();
            heap = heap.plus(counts);
            heap_peak = heap_peak.max(peak);
        }
    }
    Line {
        line: number,
        source: source_line(site, number).to_owned(),
        hits,
        readings: sum.readings,
        time_ns: sum.time_ns,
        max_rss: (sum.max_rss > 0).then_some(sum.max_rss),
        net_rss: sum.net,
        peak_rss: sum.peak,
        samples: sum.samples,
        shared: sum.shared,
        heap: counted(heap, Some(heap_peak)),
        heap_elsewhere: counted(sum.others, None),
        workers: workers(tallies, at),
    }
}

/// What closures of the line at place `at` did on other threads; `None` if nothing.
fn workers(tallies: &[&SiteTally], at: usize) -> Option<Workers> {
    let mut sum = Workers::default();
    let (mut heap, mut heap_peak) = (Counts::default(), 0);
    for workers in tallies.iter().filter_map(|tally| tally.workers.as_ref()) {
        sum.time_ns += workers.time_ns[at];
        if let Some(cells) = workers.cells.line(at) {
            let (counts, peak) = cells.heap();
            sum.hits += cells.hits();
            heap = heap.plus(counts);
            heap_peak = heap_peak.max(peak);
        }
    }
    sum.heap = counted(heap, Some(heap_peak));
    (sum.hits > 0).then_some(sum)
}

/// `None` where nobody counts the heap.
fn counted(counts: Counts, peak: Option<u64>) -> Option<HeapFigures> {
    heap::is_counted().then_some(HeapFigures {
        allocated: counts.allocated,
        freed: counts.freed,
        net: counts.live(),
        peak: peak.unwrap_or(0),
        allocations: counts.allocations,
    })
}

fn source_line(site: &Registered, number: u32) -> &'static str {
    let spec = site.spec;
    let at = number.checked_sub(spec.source_line);
    at.and_then(|at| spec.source.lines().nth(at as usize))
        .unwrap_or("")
}

/// The best call's samples, from its entry to its exit.
fn series(site: &Registered, best: &Best) -> Vec<LineSample> {
    let sample = |point: &LinePoint| LineSample {
        t_ns: point.t_ns,
        rss: point.rss,
        heap: heap::is_counted().then_some(point.heap),
        line: site.line_number(point.line),
    };
    let points = best.series.iter().flat_map(|series| series.points());
    let mut series: Vec<LineSample> = points.map(sample).collect();
    let call = &best.call;
    let at = |t_ns, rss, line| LineSample {
        t_ns,
        rss,
        heap: None,
        line,
    };
    if series.is_empty() {
        series.push(at(call.start_ns, call.entry_rss, None));
    }
    if let Some(&last) = series.last()
        && last.t_ns < call.end_ns
    {
        series.push(LineSample {
            heap: last.heap,
            ..at(call.end_ns, call.exit_rss, last.line)
        });
    }
    series
}

fn held_bytes(recorder: &Recorder, sites: &[&'static Registered]) -> u64 {
    let mut bytes: u64 = sites
        .iter()
        .map(|site| site.calls().bytes() + site.suspended().1)
        .sum();
    recorder.meter().for_each_lane(|lane| bytes += lane.bytes());
    bytes
}

/// The executable's file name.
fn program(command: &[String]) -> String {
    let executable = std::env::current_exe().ok();
    let name = executable
        .as_deref()
        .or_else(|| command.first().map(std::path::Path::new))
        .and_then(std::path::Path::file_name);
    name.map_or_else(
        || "program".to_owned(),
        |name| name.to_string_lossy().into_owned(),
    )
}

/// Local time with its offset.
fn rfc3339(time: SystemTime) -> String {
    match jiff::Timestamp::try_from(time) {
        Ok(timestamp) => timestamp
            .to_zoned(jiff::tz::TimeZone::system())
            .strftime("%Y-%m-%dT%H:%M:%S%.6f%:z")
            .to_string(),
        // A clock beyond the year 9999: the run's times are relative to it and still right.
        Err(_) => "9999-12-30T00:00:00Z".to_owned(),
    }
}
