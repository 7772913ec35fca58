//! What a key changes.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::state::{Pane, State};

/// How far a page goes.
const PAGE: usize = 10;

/// What is to be done after a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Show the state as it now is.
    Stay,
    /// The user has seen enough.
    Leave,
    /// The shell is to have the terminal for a while.
    Suspend,
}

/// Changes `state` as the key says.
pub(super) fn press(state: &mut State, key: KeyEvent) -> Next {
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return match key.code {
            KeyCode::Char('c' | 'd') => Next::Leave,
            KeyCode::Char('z') => Next::Suspend,
            _ => Next::Stay,
        };
    }
    if state.help {
        // Whatever it is, it has been read.
        state.help = false;
        return if key.code == KeyCode::Char('q') {
            Next::Leave
        } else {
            Next::Stay
        };
    }
    let (rows, at) = state.rows();
    match key.code {
        KeyCode::Char('q') => return Next::Leave,
        KeyCode::Up | KeyCode::Char('k') => state.go_to(at.saturating_sub(1)),
        KeyCode::Down | KeyCode::Char('j') => state.go_to(at + 1),
        KeyCode::PageUp => state.go_to(at.saturating_sub(PAGE)),
        KeyCode::PageDown => state.go_to(at + PAGE),
        KeyCode::Home | KeyCode::Char('g') => state.go_to(0),
        KeyCode::End | KeyCode::Char('G') => state.go_to(rows.saturating_sub(1)),
        KeyCode::Enter | KeyCode::Right | KeyCode::Char('l') => state.pane = Pane::Lines,
        KeyCode::Esc | KeyCode::Left | KeyCode::Char('h') => state.pane = Pane::Functions,
        KeyCode::Tab | KeyCode::BackTab => {
            state.pane = match state.pane {
                Pane::Functions => Pane::Lines,
                Pane::Lines => Pane::Functions,
            }
        }
        KeyCode::Char('s') => state.step_sort(1),
        KeyCode::Char('S') => state.step_sort(-1),
        KeyCode::Char('f') => state.follow(),
        KeyCode::Char('p' | ' ') => state.paused = !state.paused,
        KeyCode::Char('?') | KeyCode::F(1) => state.help = true,
        _ => {}
    }
    Next::Stay
}

#[cfg(test)]
mod tests {
    use super::super::test_run::state;
    use super::*;

    fn type_in(state: &mut State, keys: &str) -> Next {
        let codes = keys.chars().map(|key| match key {
            '\n' => KeyCode::Enter,
            '\t' => KeyCode::Tab,
            '\u{1b}' => KeyCode::Esc,
            '↓' => KeyCode::Down,
            '↑' => KeyCode::Up,
            '⇟' => KeyCode::PageDown,
            key => KeyCode::Char(key),
        });
        codes
            .map(|code| press(state, KeyEvent::new(code, KeyModifiers::NONE)))
            .last()
            .expect("a key")
    }

    fn selected(state: &State) -> &str {
        &state.selected().expect("a function").label
    }

    #[test]
    fn the_selection_moves_and_stops_at_the_ends() {
        let mut state = state();
        assert_eq!(selected(&state), "lengths");
        for (keys, expected) in [
            ("k", "lengths"),
            ("j", "wait"),
            ("↓", "text"),
            ("jj⇟", "text"),
            ("↑", "wait"),
            ("g", "lengths"),
            ("G", "text"),
        ] {
            assert_eq!(type_in(&mut state, keys), Next::Stay);
            assert_eq!(selected(&state), expected, "{keys}");
        }
    }

    #[test]
    fn the_selected_function_stays_selected_whatever_the_order() {
        let mut state = state();
        type_in(&mut state, "j");
        for sort in ["net", "peak", "time", "calls", "name", "rank"] {
            type_in(&mut state, "s");
            assert_eq!((state.sort_name(), selected(&state)), (sort, "wait"));
        }
        type_in(&mut state, "S");
        assert_eq!(state.sort_name(), "name");
        let names: Vec<_> = state.functions().iter().map(|f| &f.label[..]).collect();
        assert_eq!(names, ["lengths", "text", "wait"]);
    }

    #[test]
    fn lines_follow_what_runs_until_one_is_selected() {
        let mut state = state();
        type_in(&mut state, "j\n");
        assert_eq!(state.pane, Pane::Lines);
        let running = state.rows().1;
        assert_eq!(state.running_lines(), [12]);
        type_in(&mut state, "k");
        assert_eq!(state.rows().1, running - 1);
        assert!(state.has_line());
        type_in(&mut state, "f");
        assert_eq!((state.rows().1, state.has_line()), (running, false));
        type_in(&mut state, "g");
        assert_eq!(state.rows().1, 0);
        type_in(&mut state, "G⇟");
        assert_eq!(state.rows(), (7, 6));
        type_in(&mut state, "\u{1b}j");
        assert_eq!((state.pane, selected(&state)), (Pane::Functions, "text"));
        type_in(&mut state, "\t");
        assert_eq!(state.pane, Pane::Lines);
    }

    #[test]
    fn help_goes_away_with_any_key_and_only_q_leaves() {
        let mut state = state();
        type_in(&mut state, "?");
        assert!(state.help);
        type_in(&mut state, "j");
        assert!(!state.help);
        assert_eq!(selected(&state), "lengths", "the key was for the help");
        assert_eq!(type_in(&mut state, "xZ\u{1b}"), Next::Stay);
        assert_eq!(type_in(&mut state, "q"), Next::Leave);
        assert_eq!(type_in(&mut state, "?q"), Next::Leave);
        let control = |key| KeyEvent::new(KeyCode::Char(key), KeyModifiers::CONTROL);
        assert_eq!(press(&mut state, control('c')), Next::Leave);
        assert_eq!(press(&mut state, control('z')), Next::Suspend);
        assert_eq!(press(&mut state, control('j')), Next::Stay);
    }

    #[test]
    fn a_pause_wants_no_news() {
        let mut state = state();
        assert!(state.wants_news());
        type_in(&mut state, "p");
        assert!(state.paused && !state.wants_news());
        type_in(&mut state, " ");
        assert!(state.wants_news());
    }

    #[test]
    fn a_run_without_functions_has_nothing_to_select() {
        let mut state = state();
        state.run.functions.clear();
        state.run.stopped.clear();
        type_in(&mut state, "jkGg⇟\njkGg⇟\u{1b}");
        assert!(state.selected().is_none());
    }
}
