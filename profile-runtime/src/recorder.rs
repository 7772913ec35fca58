//! The one recorder of the process: its settings, its sites, and its threads.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::SystemTime;

use crate::heap;
use crate::reading::instruments::Instruments;
use crate::recording;
use crate::settings::Settings;
use crate::site::annotated::Site;
use crate::site::calls::SharedRoom;
use crate::site::registered::RegisteredSite;
use crate::site::spec::{MEMORY_USAGE, PerCall, SiteSpec};
use crate::sync::lock;
use crate::thread::registry::ThreadRegistry;

/// Set once. `None` inside if recording is off, or could not begin.
static RECORDER: OnceLock<Option<&'static Recorder>> = OnceLock::new();

/// The longest sampling interval: a sampler that has only this is as good as idle.
pub(crate) const A_DAY_NS: u64 = 86_400_000_000_000;

/// The process's recorder.
#[derive(Debug)]
pub(crate) struct Recorder {
    pub settings: Settings,
    pub instruments: &'static Instruments,
    pub threads: ThreadRegistry,
    /// Every site called so far, by number.
    sites: Mutex<Vec<&'static RegisteredSite>>,
    /// Room for their calls.
    room: Arc<SharedRoom>,
    pub started_at: SystemTime,
    /// When memory was about to run out for the first time; `u64::MAX` for never.
    low_memory_ns: AtomicU64,
    /// The working directory when the run began: relative paths are taken from there.
    #[cfg(feature = "report")]
    pub current_dir: Option<std::path::PathBuf>,
}

/// The recorder, made by `start` if there is none yet; `None` when recording is off.
#[inline]
pub(crate) fn get_or(
    start: impl FnOnce() -> Option<&'static Recorder>,
) -> Option<&'static Recorder> {
    let recorder = match RECORDER.get() {
        Some(recorder) => *recorder,
        // The child of a fork may have come when another thread was starting it, and would wait for that thread.
        None if recording::has_given_up() => None,
        None => start(),
    };
    recorder.filter(|_| !recording::has_given_up())
}

/// The recorder, if it has been started in this process and is at work.
pub(crate) fn running() -> Option<&'static Recorder> {
    get_or(|| None)
}

/// Installs the recorder that `make` gives, unless there is one already. Gives the one that is installed.
pub(crate) fn install(
    make: impl FnOnce() -> Option<&'static Recorder>,
) -> Option<&'static Recorder> {
    *RECORDER.get_or_init(make)
}

impl Recorder {
    pub(crate) fn new(settings: Settings, instruments: &'static Instruments) -> Recorder {
        Recorder {
            settings,
            instruments,
            threads: ThreadRegistry::new(instruments),
            sites: Mutex::default(),
            room: Arc::default(),
            started_at: SystemTime::now(),
            low_memory_ns: AtomicU64::new(u64::MAX),
            #[cfg(feature = "report")]
            current_dir: std::env::current_dir().ok(),
        }
    }

    /// When memory was about to run out for the first time, nanoseconds since the run's start.
    pub(crate) fn low_memory_ns(&self) -> Option<u64> {
        let t_ns = self.low_memory_ns.load(Relaxed);
        (t_ns != u64::MAX).then_some(t_ns)
    }

    /// Notes that memory is about to run out at `t_ns`; says whether it is for the first time.
    #[cfg(feature = "report")]
    pub(crate) fn note_low_memory(&self, t_ns: u64) -> bool {
        self.low_memory_ns.fetch_min(t_ns, Relaxed) == u64::MAX
    }

    /// Every site called so far, in order of first call, memprof's own among them.
    pub(crate) fn sites(&self) -> Vec<&'static RegisteredSite> {
        lock(&self.sites).clone()
    }

    /// The entry of `site` in the run, made at its first call.
    pub(crate) fn register(&self, site: &'static Site) -> &'static RegisteredSite {
        site.registered(|site| heap::without_counting(|| self.add_site(site)))
    }

    /// Adds a site of the user's to the run.
    #[cold]
    fn add_site(&self, site: &'static Site) -> &'static RegisteredSite {
        let spec = &site.spec;
        let interval_ns = self.settings.interval_ns.unwrap_or(spec.interval_ns);
        let maxima = self.settings.wants_maxima();
        let per_call = site.wants().or(maxima.then_some(PerCall::PLAINLY));
        let room = &self.room;
        push_site(&mut lock(&self.sites), |id| {
            let registered = RegisteredSite::new(id, spec, interval_ns, per_call, maxima);
            registered
                .with_room_in(room)
                .with_counted_only(site.counted_only())
        })
    }

    /// A site for one of memprof's own purposes, sampled at this interval.
    pub(crate) fn add_own_site(
        &self,
        spec: &'static SiteSpec,
        interval_ns: u64,
    ) -> &'static RegisteredSite {
        push_site(&mut lock(&self.sites), |id| {
            self.own_site(id, spec, interval_ns)
        })
    }

    /// The site that stands for `memory_usage` with this interval.
    pub(crate) fn usage_site(&self, interval_ns: u64) -> &'static RegisteredSite {
        let mut sites = lock(&self.sites);
        let existing = sites
            .iter()
            .find(|site| site.is_usage() && site.interval_ns == interval_ns);
        match existing {
            Some(site) => site,
            None => heap::without_counting(|| {
                push_site(&mut sites, |id| {
                    self.own_site(id, &MEMORY_USAGE, interval_ns)
                })
            }),
        }
    }

    fn own_site(&self, id: usize, spec: &'static SiteSpec, interval_ns: u64) -> RegisteredSite {
        RegisteredSite::new(id, spec, interval_ns, None, false).with_room_in(&self.room)
    }
}

/// Adds the site that `make` makes of its number to the run. Leaked, because frames point to it until the program ends.
fn push_site(
    sites: &mut Vec<&'static RegisteredSite>,
    make: impl FnOnce(usize) -> RegisteredSite,
) -> &'static RegisteredSite {
    let site = &*Box::leak(Box::new(make(sites.len())));
    sites.push(site);
    site
}
