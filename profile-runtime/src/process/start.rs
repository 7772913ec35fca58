//! The start of recording, at the process's first annotated call.

use super::{exit, sampler};
use crate::heap;
use crate::message::message;
use crate::os::{Clock, Os, touch_a_page};
use crate::reading::instruments::Instruments;
use crate::reading::meter::Meter;
use crate::recorder::{self, A_DAY_NS, Recorder};
use crate::recording;
use crate::settings::Settings;
use crate::site::spec::SiteSpec;
use crate::thread::current;
use crate::thread::open_call::Kind;

/// The site of the calls of [`warm_up`].
static WARM_UP: SiteSpec = SiteSpec::own("memprof::warm_up", &[1, 2]);

/// The recorder, started if need be; `None` when recording is off.
#[inline]
pub(crate) fn recorder() -> Option<&'static Recorder> {
    recorder::get_or(|| heap::without_counting(start))
}

/// Starts the recorder, unless another thread was faster.
#[cold]
fn start() -> Option<&'static Recorder> {
    let mut first = false;
    let recorder = recorder::install(|| {
        first = true;
        make()
    });
    let Some(recorder) = recorder else {
        recording::switch_off();
        return None;
    };
    if first {
        set_going(recorder);
    }
    Some(recorder)
}

/// Makes the recorder. `None` if nothing is to be recorded, or nothing can be.
fn make() -> Option<&'static Recorder> {
    let (settings, complaints) = Settings::take_in_force();
    complaints.iter().for_each(|complaint| message(complaint));
    if settings.disabled {
        return None;
    }
    let instruments = open_instruments(&settings)
        .inspect_err(|error| {
            message(&format!(
                "nothing is recorded: the process's memory cannot be read: {error}"
            ));
        })
        .ok()?;
    // Leaked: threads hold both until the process ends.
    let instruments = Box::leak(Box::new(instruments));
    Some(Box::leak(Box::new(Recorder::new(settings, instruments))))
}

fn open_instruments(settings: &Settings) -> std::io::Result<Instruments> {
    let os = Os::open(settings.backend)?;
    let meter = Meter::new(os, Clock::start(), settings.sampled_peaks)?;
    Ok(Instruments::new(meter))
}

/// Starts everything that needs the recorder to be installed.
fn set_going(recorder: &'static Recorder) {
    heap::origins::find_owners_with(current::current_block_owner);
    if let Err(error) = sampler::start(recorder.instruments, &recorder.threads) {
        message(&format!(
            "no samples over time, only readings at lines: the sampler thread could not be \
             started: {error}"
        ));
    }
    exit::at_exit();
    warm_up(recorder);
    #[cfg(feature = "report")]
    if let Err(error) = crate::files::writer::start(recorder) {
        message(&format!(
            "nothing will be left of the run if the program is killed: the thread that writes \
             files could not be started: {error}"
        ));
    }
}

/// Makes a few calls that do nothing. The first use of code and memory costs page faults; memprof's own would
/// otherwise show up in the lines of the program's first call.
fn warm_up(recorder: &'static Recorder) {
    let Some(thread) = current::recorder(&recorder.threads) else {
        return;
    };
    let site = recorder.add_own_site(&WARM_UP, A_DAY_NS);
    for _ in 0..3 {
        let call = thread.enter(site, Kind::Call);
        for line in [0, 1, 0] {
            call.line(line);
            // A page comes and goes, so that the reading runs all of its code.
            touch_a_page();
        }
        call.exit();
    }
    thread.warm_up_counted(site);
}
