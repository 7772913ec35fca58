//! Everything that the screen depends on.

use memprof_model::run::{FunctionProfile, Line, Run};
use memprof_report::internal::{
    FunctionColumn, Kind, Names, function_columns, line_to_look_at, order,
};
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
    /// The places of the run's functions in the order of all reports.
    order: Vec<usize>,
    /// What the run's functions are called.
    names: Names,
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

/// What functions are ordered by: as in all reports, or by a figure, the largest first, or by name from a to z.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Rank,
    /// By the column of this key.
    Figure(&'static str),
    Name,
}

impl Sort {
    /// The orders that there are with these columns: sizes come before time and calls.
    fn all(columns: &[FunctionColumn]) -> Vec<Sort> {
        let is_size = |column: &&FunctionColumn| matches!(column.kind, Kind::Size | Kind::Change);
        let sizes = columns.iter().filter(is_size);
        let others = columns.iter().rev().filter(|column| !is_size(column));
        let figures = sizes.chain(others).map(|column| Sort::Figure(column.key));
        [Sort::Rank]
            .into_iter()
            .chain(figures)
            .chain([Sort::Name])
            .collect()
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
            order: order(&run),
            names: Names::of_run(&run),
            run,
            before: None,
            end: None,
            paused: false,
            help: false,
            pane: Pane::Functions,
            sort: Sort::Rank,
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
            self.order = order(&self.run);
            self.names = Names::of_run(&self.run);
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

    /// The figures that there are of functions.
    pub(super) fn columns(&self) -> Vec<FunctionColumn> {
        function_columns(&self.run)
    }

    /// Takes the order that comes so many steps after this one.
    pub(super) fn step_sort(&mut self, steps: isize) {
        let all = Sort::all(&self.columns());
        let at = all.iter().position(|&sort| sort == self.sort).unwrap_or(0);
        let to = (at + all.len()).saturating_add_signed(steps);
        self.sort = all[to % all.len()];
    }

    /// The name of the order.
    pub(super) fn sort_name(&self) -> &'static str {
        match self.sort {
            Sort::Rank => "rank",
            Sort::Name => "name",
            Sort::Figure(key) => {
                let columns = self.columns().into_iter();
                let mut found = columns.filter(|column| column.key == key);
                found.next().map_or("", |column| column.title)
            }
        }
    }

    /// What the function is called.
    pub(super) fn name<'a>(&'a self, function: &'a FunctionProfile) -> &'a str {
        self.names.of(function)
    }

    /// The functions in the order in which they are shown.
    pub(super) fn functions(&self) -> Vec<&FunctionProfile> {
        let ranked = self.order.iter();
        let mut functions: Vec<_> = ranked.filter_map(|&i| self.run.functions.get(i)).collect();
        match self.sort {
            Sort::Rank => {}
            Sort::Name => functions.sort_by_key(|f| (&f.label, &f.name)),
            Sort::Figure(key) => {
                let mut columns = self.columns().into_iter();
                if let Some(column) = columns.find(|column| column.key == key) {
                    functions.sort_by_key(|f| std::cmp::Reverse((column.value)(f)));
                }
            }
        }
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

    /// Which of the lines `numbers` is selected: by the user, because it is running, or because it is the one
    /// to look at.
    pub(super) fn line_at(&self, numbers: &[u32]) -> usize {
        let running = || self.running_lines().first().copied();
        let to_look_at = || Some(line_to_look_at(self.selected()?)?.line);
        let number = self.line.or_else(running).or_else(to_look_at);
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
                let figures = |f: &FunctionProfile| (f.calls, f.net_rss, f.peak_rss, f.heap);
                figures(was) != figures(function)
            })
    }

    /// The lines of the function whose figures have changed since the look before.
    pub(super) fn changed_lines(&self, function: &FunctionProfile) -> Vec<u32> {
        if self.before.is_none() {
            return Vec::new();
        }
        let was = self.earlier(function).map_or(&[][..], |was| &was.lines);
        let figures = |line: &Line| (line.hits, line.net_rss, line.peak_rss, line.heap);
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
