//! The figures of a run in progress, for an entry of the journal.

use super::function::{Highest, ThreadSnapshot, highest, of_threads, running, totals};
use super::live_blocks::{self, LiveBlocks};
use super::whole_run::{called, header, threads};
use crate::reading::one_reading::Reading;
use crate::recorder::Recorder;
use crate::site::registered::RegisteredSite;
use memprof_model::run::{Call, FunctionProfile, Run, RunOutcome, Sample};

/// The figures of a run, without what never changes, and without what grows with its length: see [`figures`].
#[derive(Debug)]
pub(crate) struct Progress {
    /// Without command, program, start, series and functions.
    pub run: Run,
    /// The moment itself.
    pub now: Sample,
    /// The process's samples since the last entry.
    pub samples: Vec<Sample>,
    pub functions: Vec<FunctionProgress>,
}

/// What can change about a function.
#[derive(Debug)]
pub(crate) struct FunctionProgress {
    /// Number of the function's site.
    pub id: usize,
    pub source: &'static str,
    /// Without source texts, calls and series.
    pub profile: FunctionProfile,
    /// How many calls have ended.
    pub ended: u64,
    /// The kept calls among those that ended since the last entry.
    pub calls: Vec<Call>,
    /// The calls in progress, each with the number of the line at which it is.
    pub running: Vec<(Call, Option<u32>)>,
}

/// The figures at `now`, cheap enough to be asked for twice a second: without texts, and only with the samples and
/// calls that are new. These are the samples after `since_ns`, and the calls of each function after the first
/// `ended`, which gets the function's number.
pub(crate) fn figures(
    recorder: &'static Recorder,
    now: Reading,
    since_ns: Option<u64>,
    ended: impl Fn(usize) -> u64,
) -> Progress {
    figures_of(recorder, called(&recorder.sites()), now, since_ns, ended)
}

/// The figures of memprof's own functions, for the warm-up of the journal.
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
    // Before the snapshots of the threads, as in `whole_run::take_at`.
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

/// The calls of a site that have ended by now.
struct EndedCalls {
    /// How many.
    number: u64,
    /// The kept calls among those that ended since the last entry.
    new: Vec<Call>,
    highest: Option<Highest>,
}

impl EndedCalls {
    /// The ended calls of `site`. The first `before` of them were in earlier entries.
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
