//! The figures of a run in progress, for an entry of the journal.

use super::function::{EndedFigures, Suspended, of_threads, running, totals};
use super::header::header;
use super::live_blocks::{self, LiveBlocks};
use super::whole_run::{called, threads};
use crate::reading::one_reading::Reading;
use crate::recorder::Recorder;
use crate::site::registered::RegisteredSite;
use crate::thread::copy::{self, ThreadSnapshot};
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
    /// The suspended call with the highest peak. All are in the profile, as numbers.
    pub suspended: Option<Call>,
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
    copy::warm_up();
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
    let sites = sites.map(|site| {
        let suspended = Suspended::sums(recorder, site, now);
        (site, EndedCalls::of(site, ended(site.id)), suspended)
    });
    let sites: Vec<_> = sites.collect();
    let threads = threads(recorder, now, false);
    let alive = LiveBlocks::now();
    let functions = sites.into_iter().filter_map(|(site, ended, suspended)| {
        let mut figures = function_figures(site, ended, &threads, &suspended)?;
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
    figures: EndedFigures,
}

impl EndedCalls {
    /// The ended calls of `site`. The first `before` of them were in earlier entries.
    fn of(site: &'static RegisteredSite, before: u64) -> EndedCalls {
        let calls = site.calls();
        EndedCalls {
            number: calls.ended(),
            new: calls.since(before),
            figures: EndedFigures::of(&calls),
        }
    }
}

fn function_figures(
    site: &'static RegisteredSite,
    ended: EndedCalls,
    threads: &[ThreadSnapshot],
    suspended: &Suspended,
) -> Option<FunctionProgress> {
    let profile = totals(site, ended.figures, threads, suspended, |_| "")?;
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
        suspended: suspended.highest(site, threads),
    })
}

#[cfg(test)]
mod tests {
    use super::super::scene::{PAGE, Scene};
    use super::*;
    use crate::recorder::A_DAY_NS;
    use crate::site::spec::SiteSpec;
    use memprof_model::run::Outcome;

    /// What is new after the moment, and after the first `ended` calls of each function.
    fn since(scene: &Scene, since_ns: Option<u64>, ended: u64) -> Progress {
        let now = scene.recorder.instruments.meter.read_for_all();
        figures(scene.recorder, now, since_ns, |_| ended)
    }

    fn starts(calls: &[Call]) -> Vec<u64> {
        calls.iter().map(|call| call.start_ns).collect()
    }

    #[test]
    fn progress_an_entry_has_the_calls_and_samples_that_are_new_since_the_last() {
        let scene = Scene::new();
        let (thread, site) = (scene.thread(), scene.function());
        scene.call(thread, site, 1);
        scene.call(thread, site, 2);
        let first = since(&scene, None, 0);
        let known = &first.functions[0];
        assert_eq!((known.ended, known.calls.len()), (2, 2));
        assert_eq!(first.samples.last(), Some(&first.now));
        scene.call(thread, site, 3);
        let second = since(&scene, Some(first.now.t_ns), known.ended);
        let new = &second.functions[0];
        assert_eq!((new.ended, new.calls.len()), (3, 1));
        assert!(starts(&new.calls)[0] > first.now.t_ns);
        assert!(!second.samples.is_empty());
        assert!(
            second
                .samples
                .iter()
                .all(|sample| sample.t_ns > first.now.t_ns)
        );
        assert_eq!(
            new.profile.calls, 3,
            "figures are not what is new but what holds"
        );
        assert_eq!(new.profile.net_rss, 6 * PAGE as i64);
        let third = since(&scene, Some(second.now.t_ns), new.ended);
        assert!(third.functions[0].calls.is_empty());
    }

    #[test]
    fn progress_an_entry_has_no_texts_and_no_series() {
        let scene = Scene::new();
        let (thread, site) = (scene.thread(), scene.function());
        scene.call(thread, site, 1);
        let entry = since(&scene, None, 0);
        let function = &entry.functions[0];
        assert_eq!((function.id, function.source), (site.id, site.spec.source));
        let profile = &function.profile;
        assert!(profile.source.is_empty() && profile.series.is_empty());
        assert!(profile.call_records.is_empty() && profile.lines.len() == 3);
        assert!(profile.lines.iter().all(|line| line.source.is_empty()));
        assert!(entry.run.series.is_empty() && entry.run.command.is_empty());
        assert_eq!(
            (entry.run.outcome, entry.run.duration_ns),
            (RunOutcome::Running, entry.now.t_ns)
        );
    }

    #[test]
    fn progress_calls_in_progress_are_told_with_the_line_at_which_they_are() {
        let scene = Scene::new();
        let (thread, site) = (scene.thread(), scene.function());
        scene.begin(thread, site, 1).line(1);
        scene.begin(thread, site, 5);
        let entry = since(&scene, None, 0);
        let function = &entry.functions[0];
        let mut running: Vec<_> = (function.running.iter())
            .map(|(call, line)| (call.depth, *line, call.outcome))
            .collect();
        running.sort_by_key(|&(depth, ..)| depth);
        let expected = [
            (0, Some(12), Outcome::Running),
            (1, Some(11), Outcome::Running),
        ];
        assert_eq!(running, expected);
        assert_eq!((function.ended, function.profile.calls), (0, 2));
    }

    #[test]
    fn progress_our_own_functions_are_in_the_entry_that_tries_things_out_alone() {
        static OWN: SiteSpec = SiteSpec::own("memprof::test", &[1]);
        let scene = Scene::new();
        let thread = scene.thread();
        let own = scene.recorder.add_own_site(&OWN, A_DAY_NS);
        scene.call(thread, own, 1);
        let now = scene.recorder.instruments.meter.read_for_all();
        let functions = own_figures(scene.recorder, now).functions;
        assert_eq!((functions.len(), functions[0].calls.len()), (1, 1));
        assert!(since(&scene, None, 0).functions.is_empty());
    }
}
