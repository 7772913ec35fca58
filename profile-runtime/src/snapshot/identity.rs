//! What never changes of a run: program, command, start.

use std::time::SystemTime;

use jiff::tz::TimeZone;

#[cfg(feature = "report")]
use crate::reading::one_reading::Reading;
use crate::recorder::Recorder;
use memprof_model::data;
use memprof_model::run::Run;
#[cfg(feature = "report")]
use memprof_model::run::RunOutcome;

/// The run of `recorder` without figures: what never changes.
#[cfg(feature = "report")]
pub(crate) fn identity(recorder: &'static Recorder) -> Run {
    let meter = recorder.instruments.meter.figures(Some(u64::MAX));
    let outcome = RunOutcome::Running;
    identified(
        recorder,
        super::whole_run::header(recorder, outcome, Reading::default(), &meter),
    )
}

/// `run` with command, program and start.
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
