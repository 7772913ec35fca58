//! The live full-screen view of a program at work.
//!
//! What it shows is a [`State`]. [`program`] tells what the program has recorded, [`keys`] what a key
//! changes, and [`view`] draws: the last two are functions of the state alone. The loop below only waits.

mod functions;
mod keys;
mod lines;
mod program;
mod screen;
mod state;
#[cfg(test)]
mod test_run;
mod theme;
mod timeline;
mod view;
mod window;

use std::io;
use std::time::{Duration, Instant};

use ratatui::crossterm::event::{self, Event as Input, KeyEventKind};

use crate::failure::{Failure, Outcome};
#[cfg(unix)]
use crate::watch::end_with_terminal;
use crate::watch::{Event, Events, ends};

use keys::Next;
pub(crate) use program::Program;
use screen::Screen;
pub(crate) use state::State;
pub(crate) use theme::Theme;

/// How long a signal may have to wait while no key is pressed.
const SIGNALS: Duration = Duration::from_millis(100);

/// Shows `program`, looking at it every `interval`, until the user has seen enough or a signal comes,
/// whose number is given back. The terminal is then as it was.
///
/// # Errors
/// When the terminal cannot be drawn on, or what the program records cannot be read.
pub(crate) fn show(
    program: &mut Program,
    state: &mut State,
    interval: Duration,
    events: &Events,
) -> Outcome<Option<i32>> {
    #[cfg(unix)]
    end_with_terminal();
    let mut screen = Screen::take().map_err(no_terminal)?;
    let mut next_look = Instant::now() + interval;
    loop {
        screen
            .draw(|frame| view::draw(frame, state))
            .map_err(no_terminal)?;
        match wait(next_look, events).map_err(no_terminal)? {
            Woken::Signal(number) => return Ok(Some(number)),
            Woken::Time => {
                if state.wants_news() {
                    state.take(program.look()?);
                }
                next_look = Instant::now() + interval;
            }
            Woken::Input(Input::Key(key)) if key.kind != KeyEventKind::Release => {
                match keys::press(state, key) {
                    Next::Stay => {}
                    Next::Leave => return Ok(None),
                    Next::Suspend => screen = suspend(screen).map_err(no_terminal)?,
                }
            }
            // Another size, for example: it is drawn anew in any case.
            Woken::Input(_) => {}
        }
    }
}

/// What there is to be done.
enum Woken {
    Input(Input),
    Signal(i32),
    Time,
}

/// Waits for a key, a signal, or the time of the next look.
fn wait(until: Instant, events: &Events) -> io::Result<Woken> {
    loop {
        while let Some(event) = events.next(Duration::ZERO) {
            if let Event::Signal { number, .. } = event
                && ends(number)
            {
                return Ok(Woken::Signal(number));
            }
        }
        let left = until.saturating_duration_since(Instant::now());
        if event::poll(left.min(SIGNALS))? {
            return event::read().map(Woken::Input);
        }
        if left.is_zero() {
            return Ok(Woken::Time);
        }
    }
}

/// Lets the shell have the terminal, as Ctrl-Z does, until it says to go on.
fn suspend(screen: Screen) -> io::Result<Screen> {
    drop(screen);
    #[cfg(unix)]
    // SAFETY: raise only reads its argument.
    unsafe {
        libc::raise(libc::SIGTSTP);
    }
    Screen::take()
}

fn no_terminal(error: io::Error) -> Failure {
    Failure::new(
        "draw on the terminal",
        error,
        "`cargo memprof show` prints a run",
    )
}
