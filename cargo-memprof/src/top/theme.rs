//! How things look, with colours and without.

use ratatui::style::{Color, Modifier, Style};

/// The styles of the view. What a colour says is always said by a mark, a place or a weight as well.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Theme {
    colored: bool,
}

impl Theme {
    /// With colours, or without.
    pub(crate) fn new(colored: bool) -> Theme {
        Theme { colored }
    }

    /// Headings, and what matters less.
    pub(super) fn quiet(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    /// What a part of the screen is about.
    pub(super) fn title(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// The line at the top.
    pub(super) fn bar(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// The curve of memory.
    pub(super) fn curve(self) -> Style {
        self.in_color(Color::Cyan)
    }

    /// What is running now.
    pub(super) fn running(self) -> Style {
        self.in_color(Color::Green)
    }

    /// Figures that have changed since the look before.
    pub(super) fn changed(self) -> Style {
        self.in_color(Color::Yellow).add_modifier(Modifier::BOLD)
    }

    /// Something that the user must know.
    pub(super) fn notice(self) -> Style {
        self.in_color(Color::Yellow).add_modifier(Modifier::BOLD)
    }

    /// The row that keys act on, or that is selected in the other pane.
    pub(super) fn selected(self, has_keys: bool) -> Style {
        let modifier = if has_keys {
            Modifier::REVERSED
        } else {
            Modifier::UNDERLINED
        };
        Style::new().add_modifier(modifier)
    }

    fn in_color(self, color: Color) -> Style {
        if self.colored {
            Style::new().fg(color)
        } else {
            Style::new()
        }
    }
}
