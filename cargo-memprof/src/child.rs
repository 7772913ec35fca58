//! The program that we start: signals reach it, and we end as it ended.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::process::{Child, Command, ExitCode, ExitStatus};
use std::time::Duration;

use crate::failure::{Failure, Outcome};
use crate::watch::{Event, Events};

/// The exit code of a command that is not there, as in a shell.
const NOT_FOUND: u8 = 127;
/// The exit code of a command that cannot be started.
const NOT_STARTED: u8 = 126;

/// Starts `program`, which `prepare` completes. The signals that `events` takes over stay its own.
///
/// # Errors
/// When it cannot be started; with the exit code that a shell has for that.
pub(crate) fn start(
    program: &OsStr,
    events: &Events,
    prepare: impl FnOnce(&mut Command),
) -> Outcome<Child> {
    let mut command = Command::new(program);
    prepare(&mut command);
    #[cfg(unix)]
    crate::watch::give_back(&mut command);
    let child = command.spawn().map_err(|error| {
        let missing = error.kind() == ErrorKind::NotFound;
        Failure::new(
            format!("start {}", program.to_string_lossy()),
            error,
            "name a program on the PATH, or by its path",
        )
        .with_code(if missing { NOT_FOUND } else { NOT_STARTED })
    })?;
    events.report_end_of(child.id());
    Ok(child)
}

/// Hands a signal on to the program. What the terminal sent has reached it already.
pub(crate) fn hand_on(pid: u32, signal: i32, to_us_alone: bool) {
    #[cfg(unix)]
    if to_us_alone {
        crate::watch::send(pid, signal);
    }
    #[cfg(not(unix))]
    let _ = (pid, signal, to_us_alone);
}

/// Waits for the end of the program; `meanwhile` is called every 100 ms.
pub(crate) fn wait(
    child: &mut Child,
    events: &Events,
    mut meanwhile: impl FnMut(),
) -> Outcome<ExitStatus> {
    let failed = |error| Failure::new("wait for the program", error, "please report this");
    loop {
        if let Some(status) = child.try_wait().map_err(failed)? {
            return Ok(status);
        }
        match events.next(Duration::from_millis(100)) {
            Some(Event::Signal {
                number,
                to_us_alone,
            }) => hand_on(child.id(), number, to_us_alone),
            Some(Event::Ended) => {}
            None => meanwhile(),
        }
    }
}

/// How the program ended, for people.
pub(crate) fn ended(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return format!("signal {signal}");
    }
    match status.code() {
        Some(code) => format!("exit code {code}"),
        None => "without an exit code".to_owned(),
    }
}

/// Ends this program as the other one ended: by the same signal, or with its exit code.
pub(crate) fn same_end(status: ExitStatus) -> ExitCode {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        crate::watch::die_of(signal);
        return ExitCode::from(128_u8.wrapping_add(signal as u8));
    }
    match status.code() {
        // Windows has codes beyond a byte.
        Some(code) => ExitCode::from(u8::try_from(code).unwrap_or(1)),
        None => ExitCode::FAILURE,
    }
}
