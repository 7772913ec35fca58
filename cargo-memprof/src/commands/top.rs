//! `cargo memprof top`: a live full-screen view of a program at work.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use memprof_report::text::visible;

use crate::failure::{Failure, Outcome};
use crate::output;
use crate::store::{AtWork, Store, at_work};
use crate::top::{Program, State, Theme, show};
use crate::watch::{Event, Events, ends, time};

const EXAMPLES: &str = "\
Examples:
  cargo memprof top                   # the newest annotated program at work in this project
  cargo memprof top 4711              # the one with this process number
  cargo memprof top server            # the newest one of this name
  cargo memprof top --wait server     # the same, as soon as it has started
  cargo memprof top --dir /var/lib/server/memprof

Keys: arrows or j and k move, Enter shows the lines of a function, Tab goes from one to the other, s orders \
anew, p holds still, ? tells them all, q leaves. The program does not notice: what is shown is what it \
writes down about every half second.";

/// From one look for a program that is waited for to the next.
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// The most programs that a failure names.
const NAMED: usize = 8;

/// Watches a running annotated program: memory over time, functions, and lines as they change
///
/// It takes the whole terminal, and gives it back as it was. When the program ends, its final figures
/// stay.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Top {
    /// Process number, program name, or a run's folder [default: the program that started last]
    #[arg(value_name = "PID|NAME|RUN")]
    program: Option<String>,
    /// Time between two looks: `500ms`, `2s`; a number alone is seconds
    #[arg(long, value_name = "TIME", default_value = "500ms", value_parser = interval)]
    interval: Duration,
    /// Wait until such a program is at work, if there is none yet
    #[arg(long)]
    wait: bool,
}

impl Top {
    /// Shows the program; ends by the signal that ended the view, if one did.
    pub(crate) fn run(&self, store: &Store) -> Outcome<ExitCode> {
        if !std::io::stdout().is_terminal() {
            return Err(Failure::new(
                "show a program at work",
                "stdout is no terminal",
                "`cargo memprof show` prints a run, and `memprof::live` reads one at work",
            ));
        }
        let events = Events::take_over();
        let AtWork { folder, run } = match self.wait {
            false => find(self.program.as_deref(), store)?,
            true => match self.wait(store, &events)? {
                Ok(found) => found,
                Err(signal) => return Ok(ended_by(signal)),
            },
        };
        let colored = anstream::stdout().current_choice() != anstream::ColorChoice::Never;
        let mut state = State::new(run, Theme::new(colored));
        let signal = show(
            &mut Program::new(folder),
            &mut state,
            self.interval,
            &events,
        )?;
        Ok(signal.map_or(ExitCode::SUCCESS, ended_by))
    }

    /// The program, once it is at work; or the signal that ended the waiting.
    fn wait(&self, store: &Store, events: &Events) -> Outcome<Result<AtWork, i32>> {
        let word = self.program.as_deref();
        let mut told = false;
        loop {
            if let Some(found) = named(word, at_work(store.root(), |_| true)) {
                return Ok(Ok(found));
            }
            if !told {
                let whom = word.map_or_else(|| "a program".to_owned(), visible);
                let root = visible(&store.root().display().to_string());
                output::remark(format_args!("waiting for {whom} to be at work in {root}"));
                told = true;
            }
            if let Some(Event::Signal { number, .. }) = events.next(BETWEEN_LOOKS)
                && ends(number)
            {
                return Ok(Err(number));
            }
        }
    }
}

/// Ends as a program does that this signal has killed.
fn ended_by(number: i32) -> ExitCode {
    #[cfg(unix)]
    crate::watch::die_of(number);
    ExitCode::from(128_u8.wrapping_add(number as u8))
}

/// The program at work that `word` means; without a word the one that started last.
fn find(word: Option<&str>, store: &Store) -> Outcome<AtWork> {
    let found = at_work(store.root(), |_| true);
    let names: Vec<_> = found.iter().map(describe).collect();
    if let Some(found) = named(word, found) {
        return Ok(found);
    }
    let Some(word) = word else {
        return Err(nothing(store));
    };
    let folders = [store.root().join(word), word.into()];
    if let Some(folder) = folders.into_iter().find(|folder| folder.is_dir()) {
        return in_folder(folder);
    }
    Err(if names.is_empty() {
        nothing(store)
    } else {
        none_of(word, &names, store)
    })
}

/// That of `found` which `word` means; without a word the newest.
fn named(word: Option<&str>, found: Vec<AtWork>) -> Option<AtWork> {
    match word {
        Some(word) => chosen(word, found),
        None => found.into_iter().next(),
    }
}

/// The one with this process number, folder, or name, or a part of a name; the newest of several.
fn chosen(word: &str, found: Vec<AtWork>) -> Option<AtWork> {
    let is = |found: &AtWork| {
        let AtWork { run, .. } = found;
        run.pid.to_string() == word || found.name() == word || run.program == word
    };
    let at = found.iter().position(is);
    let at = at.or_else(|| {
        found
            .iter()
            .position(|found| found.run.program.contains(word))
    });
    found.into_iter().nth(at?)
}

/// The program whose run is kept in `folder`, wherever that is.
fn in_folder(folder: PathBuf) -> Outcome<AtWork> {
    match memprof_report::live(&folder)? {
        Some(run) => Ok(AtWork { folder, run }),
        None => Err(Failure::new(
            format!("watch the run in {}", folder.display()),
            "no program is at work on it",
            "`cargo memprof show` prints a run that is complete, and `cargo memprof recover` completes \
             those of programs that were killed",
        )),
    }
}

fn nothing(store: &Store) -> Failure {
    Failure::new(
        format!("find a program at work in {}", store.root().display()),
        "there is none",
        "start an annotated program (`cargo memprof run`); it is seen 0.1 s after its first annotated call. \
         --wait waits for it, --dir names another folder of runs, and `cargo memprof attach` watches programs without the attribute",
    )
}

fn none_of(word: &str, names: &[String], store: &Store) -> Failure {
    let mut there = names[..names.len().min(NAMED)].join(", ");
    if names.len() > NAMED {
        there.push_str(", …");
    }
    Failure::new(
        format!(
            "find {word:?} among the programs at work in {}",
            store.root().display()
        ),
        format!("there are {there}"),
        "name one by its process number, its name, or its run's folder",
    )
}

fn describe(found: &AtWork) -> String {
    visible(&format!("{} {}", found.run.pid, found.run.program))
}

/// A time between two looks. A program writes twice a second.
fn interval(text: &str) -> Result<Duration, String> {
    let interval = time(text)?;
    if (Duration::from_millis(100)..=Duration::from_secs(3_600)).contains(&interval) {
        Ok(interval)
    } else {
        Err("expected a time from 100ms to an hour".to_owned())
    }
}
