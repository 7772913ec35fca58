//! Everything that the screen depends on.

use memprof_model::run::{FunctionProfile, Line, Run};
use memprof_report::line_table;

use super::program::Look;
use super::theme::Theme;

/// What is shown, and what the user has chosen.
#[derive(Debug)]
pub(crate) struct State {
    pub(super) theme: Theme,
    pub(super) run: Run,
    /// The run at the look before, to tell what has changed.
    before: Option<Run>,
    pub(super) end: Option<End>,
    pub(super) paused: bool,
    pub(super) help: bool,
    pub(super) pane: Pane,
    pub(super) sort: Sort,
    /// The function that was selected; before that it is the first.
    function: Option<Key>,
    /// The line that was selected; before that it is the one that is running.
    line: Option<u32>,
}

/// How the program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// It has written its reports.
    Finished,
    /// It has not.
    Killed,
}

/// The part of the screen that keys act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pane {
    Functions,
    Lines,
}

/// What functions are ordered by; the largest first, names from a to z.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Peak,
    Net,
    Time,
    Calls,
    Name,
}

impl Sort {
    const ALL: [Sort; 5] = [Sort::Peak, Sort::Net, Sort::Time, Sort::Calls, Sort::Name];

    /// The one that comes `steps` later.
    pub(super) fn step(self, steps: usize) -> Sort {
        let all = Self::ALL;
        let at = all.iter().position(|&sort| sort == self).unwrap_or(0);
        all[(at + steps) % all.len()]
    }

    /// The one before.
    pub(super) fn back(self) -> Sort {
        self.step(Self::ALL.len() - 1)
    }

    /// Its name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Sort::Peak => "peak",
            Sort::Net => "net",
            Sort::Time => "time",
            Sort::Calls => "calls",
            Sort::Name => "name",
        }
    }
}

/// What tells functions apart, also when others come in between.
type Key = (String, String, u32);

fn key(function: &FunctionProfile) -> Key {
    (function.name.clone(), function.file.clone(), function.line)
}

impl State {
    /// The state at the first look.
    pub(crate) fn new(run: Run, theme: Theme) -> State {
        State {
            theme,
            run,
            before: None,
            end: None,
            paused: false,
            help: false,
            pane: Pane::Functions,
            sort: Sort::Peak,
            function: None,
            line: None,
        }
    }

    /// Whether there is anything more to be learned.
    pub(super) fn wants_news(&self) -> bool {
        !self.paused && self.end.is_none()
    }

    /// Takes in what a look has shown.
    pub(super) fn take(&mut self, look: Look) {
        let (run, end) = match look {
            Look::Silent => return,
            Look::Working(run) => (Some(run), None),
            Look::Finished(run) => (Some(run), Some(End::Finished)),
            Look::Killed(run) => (run, Some(End::Killed)),
        };
        self.end = end;
        if let Some(run) = run {
            self.before = Some(std::mem::replace(&mut self.run, *run));
        }
        match end {
            None => {}
            // Nothing runs any more, and nothing will change.
            Some(End::Finished) => {
                self.before = None;
                self.run.stopped.clear();
            }
            // Where it was when it was last heard of stays to be seen.
            Some(End::Killed) => self.before = None,
        }
    }

    /// The functions in the order in which they are shown.
    pub(super) fn functions(&self) -> Vec<&FunctionProfile> {
        let mut functions: Vec<_> = self.run.functions.iter().collect();
        functions.sort_by(|a, b| {
            let by = match self.sort {
                Sort::Peak => b.peak_rss.cmp(&a.peak_rss),
                Sort::Net => b.net_rss.cmp(&a.net_rss),
                Sort::Time => b.time_ns.cmp(&a.time_ns),
                Sort::Calls => b.calls.cmp(&a.calls),
                Sort::Name => std::cmp::Ordering::Equal,
            };
            by.then_with(|| (&a.label, &a.name).cmp(&(&b.label, &b.name)))
        });
        functions
    }

    /// The place of the selected one among them.
    pub(super) fn selected_at(&self) -> usize {
        let found = self.function.as_ref().and_then(|selected| {
            let mut functions = self.functions().into_iter();
            functions.position(|function| key(function) == *selected)
        });
        found.unwrap_or(0)
    }

    /// The selected function.
    pub(super) fn selected(&self) -> Option<&FunctionProfile> {
        self.functions().get(self.selected_at()).copied()
    }

    /// Selects the function at this place, or the last.
    pub(super) fn select(&mut self, at: usize) {
        let functions = self.functions();
        let function = functions.get(at).or(functions.last());
        self.function = function.map(|function| key(function));
        self.line = None;
    }

    /// The numbers of all lines of the selected function's text.
    fn numbers(&self) -> Vec<u32> {
        let rows = self
            .selected()
            .map(|function| line_table(function).parts().rows);
        rows.unwrap_or_default()
            .into_iter()
            .map(|(number, _)| number)
            .collect()
    }

    /// How many rows the pane has that keys act on, and at which one they are.
    pub(super) fn rows(&self) -> (usize, usize) {
        match self.pane {
            Pane::Functions => (self.run.functions.len(), self.selected_at()),
            Pane::Lines => {
                let numbers = self.numbers();
                let at = self.line_at(&numbers);
                (numbers.len(), at)
            }
        }
    }

    /// Goes to a row of the pane that keys act on, or to the last.
    pub(super) fn go_to(&mut self, row: usize) {
        match self.pane {
            Pane::Functions => self.select(row),
            Pane::Lines => {
                let numbers = self.numbers();
                self.line = numbers.get(row).or(numbers.last()).copied();
            }
        }
    }

    /// Follows the line that is running again.
    pub(super) fn follow(&mut self) {
        self.line = None;
    }

    /// Whether the user has selected a line.
    pub(super) fn has_line(&self) -> bool {
        self.line.is_some()
    }

    /// Which of the lines `numbers` is selected: by the user, because it is running, or because it rose
    /// most.
    pub(super) fn line_at(&self, numbers: &[u32]) -> usize {
        let running = || self.running_lines().first().copied();
        let highest = || {
            let lines = &self.selected()?.lines;
            let risen = lines.iter().rev().filter(|line| line.peak_rss > 0);
            Some(risen.max_by_key(|line| line.peak_rss)?.line)
        };
        let number = self.line.or_else(running).or_else(highest);
        let at = number.and_then(|number| numbers.iter().position(|&line| line == number));
        at.unwrap_or(0)
    }

    /// Whether the function is running now.
    pub(super) fn is_running(&self, function: &FunctionProfile) -> bool {
        let mut stopped = self.run.stopped.iter();
        stopped.any(|call| self.is_at(call.function, function))
    }

    /// The lines of the selected function that are running, on whatever thread.
    pub(super) fn running_lines(&self) -> Vec<u32> {
        let Some(selected) = self.selected() else {
            return Vec::new();
        };
        let calls = self.run.stopped.iter();
        calls
            .filter(|call| self.is_at(call.function, selected))
            .filter_map(|call| call.line)
            .collect()
    }

    fn is_at(&self, place: usize, function: &FunctionProfile) -> bool {
        let there = self.run.functions.get(place);
        there.is_some_and(|there| std::ptr::eq(there, function))
    }

    /// Whether the function's figures have changed since the look before.
    pub(super) fn has_changed(&self, function: &FunctionProfile) -> bool {
        self.before.is_some()
            && self.earlier(function).is_none_or(|was| {
                (was.calls, was.net_rss, was.peak_rss)
                    != (function.calls, function.net_rss, function.peak_rss)
            })
    }

    /// The lines of the function whose figures have changed since the look before.
    pub(super) fn changed_lines(&self, function: &FunctionProfile) -> Vec<u32> {
        if self.before.is_none() {
            return Vec::new();
        }
        let was = self.earlier(function).map_or(&[][..], |was| &was.lines);
        let figures = |line: &Line| (line.hits, line.net_rss, line.peak_rss);
        let changed = function.lines.iter().enumerate().filter(|(at, line)| {
            let was = was.get(*at).map(figures);
            was.map_or(line.hits > 0, |was| was != figures(line))
        });
        changed.map(|(_, line)| line.line).collect()
    }

    fn earlier(&self, function: &FunctionProfile) -> Option<&FunctionProfile> {
        let mut before = self.before.as_ref()?.functions.iter();
        before.find(|was| key(was) == key(function))
    }
}
