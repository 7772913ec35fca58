//! From what the lanes and books hold to a [`Run`]: the run so far, as data.

use std::time::SystemTime;

use jiff::tz::TimeZone;

use crate::calls::{Best, CallBook, LinePoint};
use crate::heap::{self, Counts};
use crate::leaks::{self, Alive};
use crate::log::OpenCall;
use crate::meter::Reading;
use crate::recorder::Recorder;
use crate::run::{
    Call, HeapFigures, Line, LineSample, Overhead, PeakAt, Process, Profile, Run, RunOutcome,
    SCHEMA, Workers,
};
#[cfg(feature = "report")]
use crate::run::{Sample, Stopped};
use crate::site::Registered;
use crate::tally::{LineTally, SiteTally};
use memprof_model::internal::grown;

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
    take_at(recorder, outcome, recorder.meter().read_for_all())
}

/// The run of `recorder` up to `now`, a reading that has just been taken.
pub(crate) fn take_at(recorder: &'static Recorder, outcome: RunOutcome, now: Reading) -> Run {
    let sites: Vec<_> = called(&recorder.sites()).collect();
    // Before the lanes' books: what ends in between is in their sums, and no longer in progress there.
    let ended: Vec<_> = sites.iter().map(|site| site.calls().clone()).collect();
    let books = books(recorder, now, true);
    let mut run = named(recorder, header(recorder, outcome, now));
    run.overhead.profiler_bytes += held_bytes(recorder, &recorder.sites(), &books);
    run.series = recorder.meter().state().series.points().to_vec();
    run.origins = leaks::followed();
    let alive = Alive::now();
    let functions = sites.iter().zip(ended).filter_map(|(site, ended)| {
        let mut profile = function(site, ended, &books)?;
        if let Some(alive) = &alive {
            alive.tell(&mut profile, tallies(site, &books));
        }
        Some(profile)
    });
    run.functions = functions.collect();
    run
}

/// The run up to `now`, at which memory is about to run out, with where each thread is.
#[cfg(feature = "report")]
pub(crate) fn take_with_low_memory(recorder: &'static Recorder, now: Reading) -> Run {
    let mut run = take_at(recorder, RunOutcome::LowMemory, now);
    run.low_memory_ns = Some(now.t_ns);
    for function in figures(recorder, now, Some(now.t_ns), |_| u64::MAX).functions {
        let place = run.functions.iter().position(|profile| {
            (&profile.name, &profile.file, profile.line)
                == (
                    &function.profile.name,
                    &function.profile.file,
                    function.profile.line,
                )
        });
        let stopped = |(call, line): &(Call, _)| Some(Stopped::of(place?, *line, call));
        run.stopped
            .extend(function.running.iter().filter_map(stopped));
    }
    run.stopped.sort_by_key(|call| (call.thread, call.depth));
    run
}

/// The run of `recorder` without figures: what never changes.
#[cfg(feature = "report")]
pub(crate) fn identity(recorder: &'static Recorder) -> Run {
    named(
        recorder,
        header(recorder, RunOutcome::Running, Reading::default()),
    )
}

/// `run` with command, program and start.
fn named(recorder: &'static Recorder, run: Run) -> Run {
    let command: Vec<String> = std::env::args_os()
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect();
    Run {
        program: program(&command),
        command,
        started: rfc3339(recorder.started_at()),
        ..run
    }
}

/// The figures of a run, without what does not change or grows with its length: see [`figures`].
#[cfg(feature = "report")]
#[derive(Debug)]
pub(crate) struct Figures {
    /// Without command, program, start, series and functions.
    pub run: Run,
    /// The moment itself.
    pub now: Sample,
    /// The process's samples after the moment asked for.
    pub samples: Vec<Sample>,
    pub functions: Vec<FunctionFigures>,
}

/// What can change about a function.
#[cfg(feature = "report")]
#[derive(Debug)]
pub(crate) struct FunctionFigures {
    /// Number of the function in this process.
    pub id: usize,
    pub source: &'static str,
    /// Without source texts, calls and series.
    pub profile: Profile,
    /// How many calls have ended.
    pub ended: u64,
    /// The kept ones among those that were not asked for before.
    pub calls: Vec<Call>,
    /// The calls in progress, each with the line at which it is.
    pub running: Vec<(Call, Option<u32>)>,
}

/// What holds at `now`, cheap enough to be asked for every second: no text, and of what is kept one
/// by one only what is new: the samples after `since_ns`, and of each function, by its number, the calls
/// after the first `ended`.
#[cfg(feature = "report")]
pub(crate) fn figures(
    recorder: &'static Recorder,
    now: Reading,
    since_ns: Option<u64>,
    ended: impl Fn(usize) -> u64,
) -> Figures {
    figures_of(recorder, called(&recorder.sites()), now, since_ns, ended)
}

/// Those of memprof's own functions, to try things out with.
#[cfg(feature = "report")]
pub(crate) fn own_figures(recorder: &'static Recorder, now: Reading) -> Figures {
    figures_of(recorder, recorder.sites().into_iter(), now, None, |_| 0)
}

#[cfg(feature = "report")]
fn figures_of(
    recorder: &'static Recorder,
    sites: impl Iterator<Item = &'static Registered>,
    now: Reading,
    since_ns: Option<u64>,
    ended: impl Fn(usize) -> u64,
) -> Figures {
    // Before the lanes' books, as in `take_at`.
    let sites = sites.map(|site| (site, Ended::of(site, ended(site.id))));
    let sites: Vec<_> = sites.collect();
    let books = books(recorder, now, false);
    let alive = Alive::now();
    let functions = sites.into_iter().filter_map(|(site, ended)| {
        let mut figures = function_figures(site, ended, &books)?;
        if let Some(alive) = &alive {
            alive.tell(&mut figures.profile, tallies(site, &books));
        }
        Some(figures)
    });
    let functions = functions.collect();
    let mut run = header(recorder, RunOutcome::Running, now);
    run.origins = leaks::followed();
    let state = recorder.meter().state();
    let points = state.series.points();
    let new = points.partition_point(|point| Some(point.t_ns) <= since_ns);
    Figures {
        run,
        now: now.sample(),
        samples: points[new..].to_vec(),
        functions,
    }
}

/// The calls of a site that have ended at a moment.
#[cfg(feature = "report")]
struct Ended {
    number: u64,
    /// The kept ones among those that were not asked for before.
    new: Vec<Call>,
    highest: Option<Highest>,
}

#[cfg(feature = "report")]
impl Ended {
    /// Those of `site`, of which the first `before` are known.
    fn of(site: &'static Registered, before: u64) -> Ended {
        let calls = site.calls();
        Ended {
            number: calls.ended(),
            new: calls.since(before),
            highest: calls.best().map(highest),
        }
    }
}

#[cfg(feature = "report")]
fn function_figures(
    site: &'static Registered,
    ended: Ended,
    books: &[LaneBook],
) -> Option<FunctionFigures> {
    let profile = totals(site, ended.highest, books, |_| "")?;
    let running = running(site, books).map(|(open, record)| {
        let line = site.line_number(open.line);
        (record.clone(), line)
    });
    Some(FunctionFigures {
        id: site.id,
        source: site.spec.source,
        profile,
        ended: ended.number,
        calls: ended.new,
        running: running.collect(),
    })
}

fn books(recorder: &'static Recorder, now: Reading, with_series: bool) -> Vec<LaneBook> {
    let mut books = Vec::new();
    recorder.meter().for_each_lane(|lane| {
        let (tallies, mut running) = lane.snapshot(now, with_series);
        running.sort_by_key(|(open, _)| open.site.id);
        books.push((tallies, running));
    });
    books
}

/// The user's functions among `sites`.
fn called(sites: &[&'static Registered]) -> impl Iterator<Item = &'static Registered> {
    sites.iter().copied().filter(|site| !site.spec.is_own())
}

/// A run's own figures, without its texts and lists.
fn header(recorder: &'static Recorder, outcome: RunOutcome, now: Reading) -> Run {
    let state = recorder.meter().state();
    Run {
        schema: SCHEMA.to_owned(),
        program: String::new(),
        command: Vec::new(),
        pid: std::process::id(),
        started: String::new(),
        duration_ns: now.t_ns,
        backend: state.backend().to_owned(),
        peak_method: state.peak_method(),
        heap: heap::is_counted(),
        outcome,
        process: Process {
            peak_rss: state.process_peak.max(now.rss),
            baseline_rss: state.baseline,
        },
        sampler: recorder.sampler().report(),
        overhead: Overhead {
            readings: state.readings,
            reading_ns: state.reading_ns,
            sampler_cpu_ns: recorder.sampler().cpu_ns(),
            profiler_bytes: state.bytes() + reserved_bytes(recorder),
        },
        series: Vec::new(),
        functions: Vec::new(),
        stopped: Vec::new(),
        low_memory_ns: None,
        watched: None,
        origins: None,
    }
}

/// What one lane gave, in the order of sites: its tallies, and its calls in progress as if they ended now.
type LaneBook = (Vec<SiteTally>, Vec<(OpenCall, Call)>);

/// `None` for a site whose first call is not on any book yet.
fn function(site: &'static Registered, ended: CallBook, books: &[LaneBook]) -> Option<Profile> {
    let highest = ended.best().map(highest);
    let totals = totals(site, highest, books, |number| source_line(site, number))?;
    let book = with_running(site, ended, books);
    let mut call_records = book.records();
    call_records.sort_by_key(|call| (call.start_ns, call.depth));
    let best = book.best();
    Some(Profile {
        source: site.spec.source.to_owned(),
        calls_omitted: totals.calls.saturating_sub(call_records.len() as u64),
        series_call: best.and_then(|best| call_records.iter().position(|call| *call == best.call)),
        series: best.map_or_else(Vec::new, |best| series(site, best)),
        call_records,
        growth: grown(&totals.sizes),
        ..totals
    })
}

/// What the lanes have of `site`.
fn tallies<'a>(
    site: &Registered,
    books: &'a [LaneBook],
) -> impl Iterator<Item = &'a SiteTally> + Clone + use<'a> {
    let id = site.id;
    books.iter().filter_map(move |(tallies, _)| {
        let at = tallies.binary_search_by_key(&id, |tally| tally.site.id);
        tallies.get(at.ok()?)
    })
}

/// A function's figures without its source, calls and series; `source` gives the text of a line.
fn totals(
    site: &'static Registered,
    ended: Option<Highest>,
    books: &[LaneBook],
    source: impl Fn(u32) -> &'static str,
) -> Option<Profile> {
    let tallies: Vec<&SiteTally> = tallies(site, books).collect();
    // A lane whose thread only ran closures of the function has a tally without calls.
    let calls: u64 = tallies.iter().map(|tally| tally.cells.calls()).sum();
    if calls == 0 {
        return None;
    }
    let peak = tallies.iter().map(|tally| tally.peak).max()?;
    let best = highest_call(site, ended, books);
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
        entry_rss: best.as_ref().map_or(0, |(call, _)| call.entry_rss),
        exit_rss: best.as_ref().map_or(0, |(call, _)| call.exit_rss),
        max_rss: tallies.iter().map(|tally| tally.high).max()?,
        net_rss: tallies.iter().map(|tally| tally.net).sum(),
        peak_rss: peak,
        peak_at: best.and_then(|(_, peak_at)| peak_at),
        heap: counted(heap, tallies.iter().map(|tally| tally.all_heap().1).max()),
        heap_elsewhere: counted(others, None),
        source: String::new(),
        source_line: site.spec.source_line,
        lines: lines(site, &tallies, source),
        calls_omitted: 0,
        call_records: Vec::new(),
        series_call: None,
        series: Vec::new(),
        by: site.watched.and_then(|site| site.by).map(str::to_owned),
        sizes: site.sizes().figures(site),
        growth: Vec::new(),
        call_maxima: site.maxima().and_then(|maxima| maxima.maxima(site)),
    })
}

/// The site's calls in progress.
fn running<'books>(
    site: &'static Registered,
    books: &'books [LaneBook],
) -> impl Iterator<Item = &'books (OpenCall, Call)> {
    books.iter().flat_map(|(_, running)| {
        let from = running.partition_point(|(open, _)| open.site.id < site.id);
        let to = running.partition_point(|(open, _)| open.site.id <= site.id);
        &running[from..to]
    })
}

/// A call, and when its peak was reached.
type Highest = (Call, Option<PeakAt>);

fn highest(best: &Best) -> Highest {
    (best.call.clone(), best.peak_at)
}

/// The call with the highest peak: `ended` has the highest of those that have ended.
fn highest_call(
    site: &'static Registered,
    ended: Option<Highest>,
    books: &[LaneBook],
) -> Option<Highest> {
    running(site, books).fold(ended, |highest, (open, record)| match highest {
        Some(highest) if highest.0.peak_rss >= record.peak_rss => Some(highest),
        _ => Some((record.clone(), open.peak_at())),
    })
}

/// The site's book with the calls in progress added.
fn with_running(site: &'static Registered, mut book: CallBook, books: &[LaneBook]) -> CallBook {
    for (open, record) in running(site, books) {
        book.add(record.clone());
        if book.beats_best(record.peak_rss) {
            // A copy: what it has no use for is nobody's.
            drop(book.set_best(open.as_best(record), &mut Vec::new()));
        }
    }
    for record in site.suspended().0 {
        book.add(record);
    }
    book
}

fn lines(
    site: &Registered,
    tallies: &[&SiteTally],
    source: impl Fn(u32) -> &'static str,
) -> Vec<Line> {
    let numbers = site.spec.lines.iter().enumerate();
    numbers
        .map(|(at, &number)| line(tallies, at, number, source(number)))
        .collect()
}

/// The line `number`, which is at place `at` in the site's list.
fn line(tallies: &[&SiteTally], at: usize, number: u32, source: &str) -> Line {
    let mut sum = LineTally::default();
    let mut hits = 0;
    let (mut heap, mut heap_peak) = (Counts::default(), 0);
    for tally in tallies {
        sum.add(&tally.lines[at]);
        if let Some(cells) = tally.cells.line(at) {
            let (counts, peak) = tally.cells.line_heap(at);
            hits += cells.hits();
            heap = heap.plus(counts);
            heap_peak = heap_peak.max(peak);
        }
    }
    Line {
        line: number,
        source: source.to_owned(),
        hits,
        readings: sum.readings,
        time_ns: sum.time_ns,
        max_rss: (sum.max_rss > 0).then_some(sum.max_rss),
        net_rss: sum.net,
        peak_rss: sum.peak,
        samples: sum.samples,
        shared: sum.shared,
        heap: counted(heap, Some(heap_peak.max(sum.heap_peak))),
        heap_elsewhere: counted(sum.others, None),
        workers: workers(tallies, at),
        origins: None,
    }
}

/// What closures of the line at place `at` did on other threads; `None` if nothing.
fn workers(tallies: &[&SiteTally], at: usize) -> Option<Workers> {
    let mut sum = Workers::default();
    let (mut heap, mut heap_peak) = (Counts::default(), 0);
    for workers in tallies.iter().filter_map(|tally| tally.workers.as_ref()) {
        sum.time_ns += workers.time_ns[at];
        if let Some(cells) = workers.cells.line(at) {
            let (counts, peak) = workers.cells.line_heap(at);
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

pub(crate) fn source_line(site: &Registered, number: u32) -> &'static str {
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

fn held_bytes(recorder: &Recorder, sites: &[&'static Registered], lanes: &[LaneBook]) -> u64 {
    let tallies = lanes.iter().flat_map(|(tallies, _)| tallies);
    let tallies: u64 = tallies.map(SiteTally::bytes).sum();
    let books = sites.iter().map(|site| {
        let maxima = site.maxima().map_or(0, |maxima| maxima.bytes());
        site.calls().bytes() + site.sizes().bytes() + site.suspended().1 + maxima
    });
    let mut bytes = heap::origins::bytes() + tallies + books.sum::<u64>();
    recorder.meter().for_each_lane(|lane| bytes += lane.bytes());
    bytes
}

#[cfg(feature = "report")]
fn reserved_bytes(recorder: &Recorder) -> u64 {
    recorder.scribe().reserved_bytes()
}

#[cfg(not(feature = "report"))]
fn reserved_bytes(_recorder: &Recorder) -> u64 {
    0
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
            .to_zoned(local_zone())
            .strftime("%Y-%m-%dT%H:%M:%S%.6f%:z")
            .to_string(),
        // A clock beyond the year 9999: the run's times are relative to it and still right.
        Err(_) => "9999-12-30T00:00:00Z".to_owned(),
    }
}

/// The zone that `/etc/localtime` holds, unless `TZ` names another. To look one up by its name, jiff lists all
/// zones of the system first, which takes a millisecond of the program's first call.
fn local_zone() -> TimeZone {
    let by_name = std::env::var_os("TZ").is_some() || !cfg!(unix);
    let held = (!by_name)
        .then(|| std::fs::read("/etc/localtime").ok())
        .flatten();
    held.and_then(|zone| TimeZone::tzif("", &zone).ok())
        .unwrap_or_else(TimeZone::system)
}
