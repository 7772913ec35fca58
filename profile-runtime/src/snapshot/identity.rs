//! What never changes about a run: program, command, start.

use std::time::SystemTime;

use jiff::tz::TimeZone;

use crate::os::environment;
#[cfg(feature = "report")]
use crate::reading::one_reading::Reading;
use crate::recorder::Recorder;
use memprof_model::data;
use memprof_model::run::Run;
#[cfg(feature = "report")]
use memprof_model::run::RunOutcome;

/// The run of `recorder` without figures.
#[cfg(feature = "report")]
pub(crate) fn identity(recorder: &'static Recorder) -> Run {
    let meter = recorder.instruments.meter.figures(Some(u64::MAX));
    let outcome = RunOutcome::Running;
    identified(
        recorder,
        super::header::header(recorder, outcome, Reading::default(), &meter),
    )
}

/// `run`, completed with program, command and start.
pub(super) fn identified(recorder: &Recorder, run: Run) -> Run {
    let command: Vec<String> = std::env::args_os()
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect();
    data!(Run {
        program: program(&command),
        command,
        started: rfc3339(recorder.started_at),
        ..run
    })
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

/// The local time zone: that in `/etc/localtime`, unless `TZ` names another. Without this, jiff would look the zone
/// up by name and list all zones of the system, which takes a millisecond of the program's first call.
fn local_zone() -> TimeZone {
    let by_name = environment::variable("TZ").is_some() || !cfg!(unix);
    let held = (!by_name)
        .then(|| std::fs::read("/etc/localtime").ok())
        .flatten();
    held.and_then(|zone| TimeZone::tzif("", &zone).ok())
        .unwrap_or_else(|| match environment::is_trusted() {
            true => TimeZone::system(),
            // The system's looks at `TZ`.
            false => TimeZone::UTC,
        })
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn identity_the_start_is_the_moment_to_a_microsecond_with_an_offset() {
        let time = UNIX_EPOCH + Duration::from_micros(1_772_370_309_250_001);
        let text = rfc3339(time);
        let back: jiff::Timestamp = text.parse().expect("it has an offset");
        assert_eq!(SystemTime::from(back), time, "{text}");
        assert!(text.contains(".250001"), "{text}");
    }

    #[test]
    fn identity_a_clock_beyond_all_calendars_gives_the_last_moment_of_them() {
        let time = UNIX_EPOCH + Duration::from_secs(1 << 40);
        assert_eq!(rfc3339(time), "9999-12-30T00:00:00Z");
    }

    #[test]
    fn identity_the_program_is_the_file_name_of_the_executable() {
        let executable = std::env::current_exe().expect("this program");
        let name = executable.file_name().expect("it has a name");
        assert_eq!(
            program(&["/bin/another".to_owned()]),
            name.to_string_lossy()
        );
    }

    #[cfg(feature = "report")]
    #[test]
    fn identity_what_never_changes_has_no_figures() {
        use crate::os::scripted::Script;
        use crate::reading::instruments::Instruments;

        let script = Script::leaked(7 << 20);
        let recorder = Recorder::new(crate::Settings::new(), Instruments::scripted(script));
        let recorder = &*Box::leak(Box::new(recorder));
        let run = identity(recorder);
        let command: Vec<String> = std::env::args().collect();
        assert_eq!((run.command, run.pid), (command, std::process::id()));
        assert_eq!(run.started, rfc3339(recorder.started_at));
        assert_eq!(
            (run.backend.as_str(), run.outcome),
            ("scripted", RunOutcome::Running)
        );
        assert!(run.series.is_empty() && run.functions.is_empty());
        assert_eq!(run.duration_ns, 0);
    }
}
