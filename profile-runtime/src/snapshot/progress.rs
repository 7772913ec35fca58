//! The figures of a run in progress, as an entry of the journal has them.

use super::function::{Highest, ThreadSnapshot, highest, of_threads, running, totals};
use super::live_blocks::{self, LiveBlocks};
use super::whole_run::{called, header, threads};
use crate::reading::one_reading::Reading;
use crate::recorder::Recorder;
use crate::site::registered::RegisteredSite;
use memprof_model::run::{Call, FunctionProfile, Run, RunOutcome, Sample};

/// The figures of a run, without what does not change or grows with its length: see [`figures`].
#[derive(Debug)]
pub(crate) struct Progress {
    /// Without command, program, start, series and functions.
    pub run: Run,
    /// The moment itself.
    pub now: Sample,
    /// The process's samples after the moment asked for.
    pub samples: Vec<Sample>,
    pub functions: Vec<FunctionProgress>,
}

/// What can change about a function.
#[derive(Debug)]
pub(crate) struct FunctionProgress {
    /// Number of the function in this process.
    pub id: usize,
    pub source: &'static str,
    /// Without source texts, calls and series.
    pub profile: FunctionProfile,
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
pub(crate) fn figures(
    recorder: &'static Recorder,
    now: Reading,
    since_ns: Option<u64>,
    ended: impl Fn(usize) -> u64,
) -> Progress {
    figures_of(recorder, called(&recorder.sites()), now, since_ns, ended)
}

/// Those of memprof's own functions, to try things out with.
pub(crate) fn own_figures(recorder: &'static Recorder, now: Reading) -> Progress {
    figures_of(recorder, recorder.sites().into_iter(), now, None, |_| 0)
}

fn figures_of(
    recorder: &'static Recorder,
    sites: impl Iterator<Item = &'static RegisteredSite>,
    now: Reading,
    since_ns: Option<u64>,
    ended: impl Fn(usize) -> u64,
) -> Progress {
    // Before the threads' books, as in `whole_run::take_at`.
    let sites = sites.map(|site| (site, EndedCalls::of(site, ended(site.id))));
    let sites: Vec<_> = sites.collect();
    let threads = threads(recorder, now, false);
    let alive = LiveBlocks::now();
    let functions = sites.into_iter().filter_map(|(site, ended)| {
        let mut figures = function_figures(site, ended, &threads)?;
        if let Some(alive) = &alive {
            alive.fill_in(&mut figures.profile, of_threads(site, &threads));
        }
        Some(figures)
    });
    let functions = functions.collect();
    let meter = recorder.instruments.meter.figures(since_ns);
    let mut run = header(recorder, RunOutcome::Running, now, &meter);
    run.origins = live_blocks::followed();
    Progress {
        run,
        now: now.sample(),
        samples: meter.samples,
        functions,
    }
}

/// The calls of a site that have ended at a moment.
struct EndedCalls {
    number: u64,
    /// The kept ones among those that were not asked for before.
    new: Vec<Call>,
    highest: Option<Highest>,
}

impl EndedCalls {
    /// Those of `site`, of which the first `before` are known.
    fn of(site: &'static RegisteredSite, before: u64) -> EndedCalls {
        let calls = site.calls();
        EndedCalls {
            number: calls.ended(),
            new: calls.since(before),
            highest: calls.peak_call().map(highest),
        }
    }
}

fn function_figures(
    site: &'static RegisteredSite,
    ended: EndedCalls,
    threads: &[ThreadSnapshot],
) -> Option<FunctionProgress> {
    let profile = totals(site, ended.highest, threads, |_| "")?;
    let running = running(site, threads).map(|(open, record)| {
        let line = site.line_number(open.line);
        (record.clone(), line)
    });
    Some(FunctionProgress {
        id: site.id,
        source: site.spec.source,
        profile,
        ended: ended.number,
        calls: ended.new,
        running: running.collect(),
    })
}
