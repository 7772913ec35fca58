//! The one recorder of the process: started by the first annotated call, ended by the process.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, OnceLock};

use crate::heap;
use crate::lane::Lane;
use crate::log::Kind;
use crate::message;
use crate::meter::Meter;
use crate::os::{Os, touch_a_page};
use crate::own;
use crate::sampler::Sampler;
use crate::settings::Settings;
use crate::site::{Registered, Site, SiteSpec, Watched};

/// `None` inside: recording is off, or could not begin.
static RECORDER: OnceLock<Option<Recorder>> = OnceLock::new();

/// Set when `RECORDER` turned out to be `None`, and with `GIVEN_UP`: what a profiled function asks first.
static OFF: AtomicBool = AtomicBool::new(false);

/// Set in the child of a fork: the sampler did not come along, and locks may be held for ever by
/// threads that did not either, so nothing is recorded there. And set after a panic of our own.
static GIVEN_UP: AtomicBool = AtomicBool::new(false);

/// The longest interval, in which a sampler is as good as idle.
pub(crate) const A_DAY_NS: u64 = 86_400_000_000_000;

/// Stands for the calls of [`Recorder::warm_up`].
static WARM_UP: SiteSpec = SiteSpec::own("memprof::warm_up", &[1, 2]);

/// The process's recorder.
#[derive(Debug)]
pub(crate) struct Recorder {
    settings: Settings,
    meter: Meter,
    sampler: Sampler,
    #[cfg(feature = "report")]
    scribe: crate::scribe::Scribe,
    started: std::time::SystemTime,
    /// The folder that relative paths meant when the run began.
    #[cfg(feature = "report")]
    current_dir: Option<std::path::PathBuf>,
    sites: Mutex<Vec<&'static Registered>>,
    /// Lanes whose thread has ended.
    free: Mutex<Vec<&'static Lane>>,
    threads: AtomicU64,
    busy_lanes: AtomicUsize,
    /// How many there are, once it matters: to ask takes a tenth of a millisecond.
    processors: OnceLock<usize>,
}

impl Recorder {
    /// Whether nothing will ever be recorded in this process.
    #[inline]
    pub(crate) fn is_off() -> bool {
        OFF.load(Relaxed)
    }

    /// The recorder, started if need be; `None` when recording is off.
    #[inline]
    pub(crate) fn get() -> Option<&'static Recorder> {
        let recorder = match RECORDER.get() {
            Some(recorder) => recorder.as_ref()?,
            None => heap::outside_the_figures(Recorder::start)?,
        };
        (!GIVEN_UP.load(Relaxed)).then_some(recorder)
    }

    /// The recorder, if it has been started in this process and is at work.
    pub(crate) fn running() -> Option<&'static Recorder> {
        let recorder = RECORDER.get()?.as_ref()?;
        (!GIVEN_UP.load(Relaxed)).then_some(recorder)
    }

    /// Whether it is too late for settings.
    pub(crate) fn started() -> bool {
        RECORDER.get().is_some()
    }

    #[cold]
    fn start() -> Option<&'static Recorder> {
        let mut first = false;
        let recorder = RECORDER
            .get_or_init(|| {
                first = true;
                let (settings, complaints) = Settings::in_force();
                complaints.iter().for_each(|complaint| message(complaint));
                if settings.disabled {
                    return None;
                }
                Recorder::new(settings)
                    .inspect_err(|error| {
                        message(&format!(
                            "nothing is recorded: the process's memory cannot be read: {error}"
                        ));
                    })
                    .ok()
            })
            .as_ref();
        let Some(recorder) = recorder else {
            OFF.store(true, Relaxed);
            return None;
        };
        if first {
            recorder.set_going();
        }
        Some(recorder)
    }

    fn new(settings: Settings) -> std::io::Result<Recorder> {
        let os = Os::open(settings.backend)?;
        Ok(Recorder {
            meter: Meter::new(os, settings.sampled_peaks)?,
            settings,
            sampler: Sampler::default(),
            #[cfg(feature = "report")]
            scribe: crate::scribe::Scribe::default(),
            started: std::time::SystemTime::now(),
            #[cfg(feature = "report")]
            current_dir: std::env::current_dir().ok(),
            sites: Mutex::default(),
            free: Mutex::default(),
            threads: AtomicU64::new(0),
            busy_lanes: AtomicUsize::new(0),
            processors: OnceLock::new(),
        })
    }

    /// Starts what needs the recorder to be in its place.
    fn set_going(&'static self) {
        if let Err(error) = self.sampler.start(self) {
            message(&format!(
                "no samples over time, only readings at lines: the sampler thread could not be \
                 started: {error}"
            ));
        }
        crate::exit::at_exit();
        self.warm_up();
        #[cfg(feature = "report")]
        if let Err(error) = self.scribe.start(self) {
            message(&format!(
                "nothing will be left of the run if the program is killed: the thread that writes \
                 files could not be started: {error}"
            ));
        }
    }

    /// Makes a few calls of nothing. The first use of code and memory costs page faults, and memprof's
    /// own would otherwise show up in the lines of the program's first call.
    fn warm_up(&'static self) {
        let Some(lane) = own::lane(self) else { return };
        let site = push_site(
            &mut crate::lock(&self.sites),
            &WARM_UP,
            A_DAY_NS,
            None,
            false,
        );
        for _ in 0..3 {
            let probe = lane.enter(self, site, Kind::Call);
            for line in [0, 1, 0] {
                probe.line(line);
                // A page comes and goes, so that the whole of a reading is gone through.
                touch_a_page();
            }
            probe.exit();
        }
        lane.warm_up_light(site);
    }

    #[cfg(feature = "report")]
    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(crate) fn meter(&self) -> &Meter {
        &self.meter
    }

    pub(crate) fn sampler(&self) -> &Sampler {
        &self.sampler
    }

    #[cfg(feature = "report")]
    pub(crate) fn scribe(&self) -> &crate::scribe::Scribe {
        &self.scribe
    }

    pub(crate) fn started_at(&self) -> std::time::SystemTime {
        self.started
    }

    #[cfg(feature = "report")]
    pub(crate) fn current_dir(&self) -> Option<&std::path::Path> {
        self.current_dir.as_deref()
    }

    /// Every site called so far, in order of first call, memprof's own among them.
    pub(crate) fn sites(&self) -> Vec<&'static Registered> {
        crate::lock(&self.sites).clone()
    }

    pub(crate) fn register(&self, site: &'static Site) -> &'static Registered {
        site.registered(|spec, watched| heap::outside_the_figures(|| self.add_site(spec, watched)))
    }

    #[cold]
    fn add_site(&self, spec: &'static SiteSpec, watched: Option<Watched>) -> &'static Registered {
        let interval_ns = self.settings.interval_ns.unwrap_or(spec.interval_ns);
        let maxima = self.settings.wants_maxima();
        let watched = watched.or(maxima.then_some(Watched::PLAINLY));
        let mut sites = crate::lock(&self.sites);
        push_site(&mut sites, spec, interval_ns, watched, maxima)
    }

    /// The site that stands for `memory_usage` with this interval.
    pub(crate) fn usage_site(&self, interval_ns: u64) -> &'static Registered {
        let mut sites = crate::lock(&self.sites);
        let known = sites
            .iter()
            .find(|site| site.is_usage() && site.interval_ns == interval_ns);
        match known {
            Some(site) => site,
            None => push_site(&mut sites, &crate::usage::SPEC, interval_ns, None, false),
        }
    }

    /// A lane for a thread that has none.
    #[cold]
    pub(crate) fn take_lane(&self) -> &'static Lane {
        let free = crate::lock(&self.free).pop();
        let lane = free.unwrap_or_else(|| {
            // Leaked: frames point to it, and it is used again by later threads.
            let lane = &*Box::leak(Box::new(Lane::new()));
            self.meter.add_lane(lane);
            lane
        });
        lane.take(self.threads.fetch_add(1, Relaxed) + 1);
        lane
    }

    /// The thread of `lane` has ended.
    pub(crate) fn give_back(&self, lane: &'static Lane) {
        // A thread that is taken down inside a call is one that called `exit`: its calls stay in
        // progress, and so they are reported.
        if !lane.is_busy() {
            crate::lock(&self.free).push(lane);
        }
    }

    /// How many threads in annotated calls share a processor.
    pub(crate) fn lanes_per_processor(&self) -> f64 {
        let processors = self.processors.get().copied().unwrap_or(1);
        self.busy_lanes.load(Relaxed) as f64 / processors as f64
    }

    /// By the sampler, so that no thread of the program has to ask for the processors.
    pub(crate) fn set_busy_lanes(&self, lanes: usize) {
        if lanes > 1 {
            let ask = || std::thread::available_parallelism().map_or(1, usize::from);
            self.processors.get_or_init(ask);
        }
        self.busy_lanes.store(lanes, Relaxed);
    }
}

/// Adds a site to the run. Leaked: it lives as long as the program, and frames point to it.
fn push_site(
    sites: &mut Vec<&'static Registered>,
    spec: &'static SiteSpec,
    interval_ns: u64,
    watched: Option<Watched>,
    maxima: bool,
) -> &'static Registered {
    let site = Registered::new(sites.len(), spec, interval_ns, watched, maxima);
    let site = &*Box::leak(Box::new(site));
    sites.push(site);
    site
}

/// Called in the child of a fork.
pub(crate) extern "C" fn forked() {
    GIVEN_UP.store(true, Relaxed);
    OFF.store(true, Relaxed);
    let _ = own::forget_lane();
    heap::origins::stop();
}

/// Runs what memprof does inside a user's function. If it panics, which is a defect of ours, it says so once,
/// and nothing is recorded any more: the program goes on.
#[inline]
pub(crate) fn contained(work: impl FnOnce()) {
    // What is behind our locks is whole after every statement, and nobody asks for it any more.
    if catch_unwind(AssertUnwindSafe(work)).is_err() {
        give_up();
    }
}

#[cold]
fn give_up() {
    OFF.store(true, Relaxed);
    if !GIVEN_UP.swap(true, Relaxed) {
        message(
            "nothing is recorded any more, because of a defect of memprof's own (the panic above); \
             please report it",
        );
    }
}
