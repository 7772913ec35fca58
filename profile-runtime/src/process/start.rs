//! The start of recording, at the process's first annotated call.

use super::{exit, sampler};
#[cfg(feature = "report")]
use crate::files::work;
use crate::heap;
use crate::message::message;
use crate::os::own_stack::on_own_stack;
use crate::os::{Clock, Os, own_pages, stderr, touch_a_page};
use crate::own_code::uncancelled;
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
    let _uncancelled = uncancelled(|| ());
    // Other threads wait until all of it is there: what memprof takes for it is to be in nobody's figures.
    let recorder = recorder::install(|| {
        let recorder = on_own_stack(|| make().inspect(|recorder| set_going(recorder)))?;
        let meter = &recorder.instruments.meter;
        meter.begin_again(own_pages::faults_of_own_threads());
        Some(recorder)
    });
    if recorder.is_none() {
        recording::switch_off();
    }
    recorder
}

/// Makes the recorder. `None` if nothing is to be recorded, or nothing can be.
fn make() -> Option<&'static Recorder> {
    stderr::note();
    let (settings, complaints) = Settings::take_in_force();
    complaints.iter().for_each(|complaint| message(complaint));
    if settings.disabled {
        return None;
    }
    // Before anything that another thread could wait for: a child that is forked meanwhile must not, and who ends the
    // process must.
    exit::at_exit();
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

/// Starts everything that the recorder needs.
fn set_going(recorder: &'static Recorder) {
    // No thread finds the recorder before that, so blocks of the very first calls have owners, too.
    heap::origins::find_owners_with(current::current_block_owner);
    if recorder.settings.without_threads {
        recorder.instruments.sampler.set_missing();
        warm_up(recorder);
        #[cfg(feature = "report")]
        work::start_without_a_thread(recorder);
        return;
    }
    if let Err(error) = sampler::start(recorder.instruments, &recorder.threads) {
        recorder.instruments.sampler.set_missing();
        message(&format!(
            "no samples over time, only readings at lines: the sampler thread could not be \
             started: {error}"
        ));
    }
    warm_up(recorder);
    #[cfg(feature = "report")]
    if let Err(error) = work::start(recorder) {
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

#[cfg(test)]
mod tests {
    use std::ptr;

    use memprof_model::run::PeakMethod;

    use super::*;
    use crate::os::own_process::{alone, alone_with};

    #[test]
    fn start_the_recorder_is_started_once_for_all_threads() {
        alone(|| {
            assert!(recorder::running().is_none(), "nobody has asked for it");
            let all: Vec<_> = std::thread::scope(|scope| {
                let threads: Vec<_> = (0..8).map(|_| scope.spawn(recorder)).collect();
                let all = threads
                    .into_iter()
                    .map(|thread| thread.join().expect("no panic"));
                all.collect()
            });
            let first = recorder().expect("recording is on");
            assert!(
                all.iter()
                    .all(|other| other.is_some_and(|other| ptr::eq(other, first)))
            );
            assert!(recorder::running().is_some_and(|running| ptr::eq(running, first)));
        });
    }

    #[test]
    fn start_nothing_is_recorded_where_the_environment_says_so() {
        alone_with(&[("MEMPROF", "0")], || {
            assert!(!recording::is_off());
            assert!(recorder().is_none());
            assert!(recording::is_off(), "the next frame need not ask");
            assert!(recorder().is_none());
        });
    }

    #[test]
    fn start_nothing_is_recorded_where_the_program_says_so() {
        alone(|| {
            Settings::new().enabled(false).apply().expect("in time");
            assert!(recorder().is_none() && recording::is_off());
        });
    }

    #[test]
    fn start_settings_are_taken_at_the_start_and_the_environment_has_the_last_word() {
        alone_with(&[("MEMPROF_INTERVAL_MS", "7")], || {
            let settings = Settings::new().interval_ms(3.0).keep(4);
            settings.apply().expect("in time");
            let recorder = recorder().expect("recording is on");
            assert_eq!(recorder.settings.interval_ns, Some(7_000_000));
            assert_eq!(recorder.settings.keep, Some(4));
            assert!(Settings::new().apply().is_err(), "too late");
        });
    }

    #[test]
    fn start_the_meter_is_as_the_settings_say() {
        for (sampled, expected) in [(true, Some(PeakMethod::Sampled)), (false, None)] {
            let settings = Settings::new().sampled_peaks(sampled);
            let instruments = open_instruments(&settings).expect("this process can be read");
            let method = instruments.meter.figures(None).peak_method;
            // Without the wish it is up to the kernel.
            assert_eq!(method, expected.unwrap_or(method));
        }
        let settings = Settings::new().backend(crate::os::Backend::Sysinfo);
        let instruments = open_instruments(&settings).expect("this process can be read");
        assert_eq!(instruments.meter.figures(None).backend, "sysinfo");
    }

    #[test]
    fn start_the_warm_up_leaves_no_function_in_the_run_and_no_call_in_progress() {
        alone(|| {
            let recorder = recorder().expect("recording is on");
            let sites = recorder.sites();
            assert!(sites.len() == 1 && ptr::eq(sites[0].spec, &raw const WARM_UP));
            let thread = current::recorder_if_any().expect("the thread has warmed up");
            assert!(!thread.is_busy());
            let run = crate::snapshot::snapshot().expect("recording is on");
            assert!(run.functions.is_empty());
        });
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn start_without_threads_there_is_none_but_the_programs() {
        let threads = || std::fs::read_dir("/proc/self/task").map_or(0, Iterator::count);
        alone_with(&[("MEMPROF_THREADS", "0")], || {
            let before = threads();
            let recorder = recorder().expect("recording is on");
            assert_eq!(threads(), before);
            assert!(recorder.instruments.sampler.report().missing);
        });
    }

    #[test]
    fn start_the_thread_that_samples_is_at_work_after_the_start() {
        alone(|| {
            static TEST: SiteSpec = SiteSpec::own("memprof::test", &[1]);
            let recorder = recorder().expect("recording is on");
            let thread = current::recorder(&recorder.threads).expect("this thread has one");
            let call = thread.enter(recorder.add_own_site(&TEST, 100_000), Kind::Call);
            let began = std::time::Instant::now();
            while recorder.instruments.sampler.report().ticks_taken < 2 {
                assert!(began.elapsed().as_secs() < 10, "no samples");
                std::thread::yield_now();
            }
            call.exit();
        });
    }
}
