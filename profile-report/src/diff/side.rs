//! The runs of one side of a comparison: what a function, and a line, had in each of them.

use std::collections::HashMap;

use memprof_model::run::{FunctionProfile, Line, Run};

use super::figures::Figures;
use super::{functions, lines};
use crate::facts::rows::{Row, rows};

/// One or more runs in which the same program did the same.
pub(super) struct Side<'a> {
    /// The one whose names, places and source are shown: it has the most functions.
    pub(super) shown: &'a Run,
    /// All.
    pub(super) runs: Vec<&'a Run>,
    /// By the function's place in `shown`, the same function in each run.
    in_each: HashMap<*const FunctionProfile, Vec<Option<&'a FunctionProfile>>>,
}

impl<'a> Side<'a> {
    /// `None` without a run.
    pub(super) fn new(runs: &[&'a Run]) -> Option<Self> {
        let shown = *runs.iter().max_by_key(|run| run.functions.len())?;
        Some(Self::showing(shown, runs))
    }

    pub(super) fn of_one(run: &'a Run) -> Self {
        Self::showing(run, &[run])
    }

    fn showing(shown: &'a Run, runs: &[&'a Run]) -> Self {
        let mut in_each: HashMap<_, Vec<_>> = HashMap::new();
        for run in runs {
            for (known, same) in functions::pairs(&shown.functions, &run.functions) {
                if let Some(known) = known {
                    in_each
                        .entry(std::ptr::from_ref(known))
                        .or_default()
                        .push(same);
                }
            }
        }
        Self {
            shown,
            runs: runs.to_vec(),
            in_each,
        }
    }

    /// `function`, which is one of `shown`, as it was in each run.
    pub(super) fn of(&self, function: Option<&'a FunctionProfile>) -> InEach<'a> {
        let in_each = function.and_then(|f| self.in_each.get(&std::ptr::from_ref(f)));
        InEach {
            shown: function,
            all: in_each.cloned().unwrap_or_default(),
        }
    }
}

/// A function in each run of a side; empty where it was not called in any.
pub(super) struct InEach<'a> {
    pub(super) shown: Option<&'a FunctionProfile>,
    all: Vec<Option<&'a FunctionProfile>>,
}

impl<'a> InEach<'a> {
    /// Its figures in each run.
    pub(super) fn figures(&self) -> Vec<Figures> {
        let figures = |function: &Option<&FunctionProfile>| {
            function.map_or_else(Figures::absent, Figures::of_function)
        };
        self.all.iter().map(figures).collect()
    }

    /// The lines of its text, each with what it had in each run.
    pub(super) fn lines(&self) -> Vec<LineInEach<'a>> {
        let Some(shown) = self.shown else {
            return Vec::new();
        };
        let shown = rows(shown);
        let mut all: Vec<_> = shown.iter().map(LineInEach::new).collect();
        for function in &self.all {
            let rows = function.map(rows).unwrap_or_default();
            let line_of = |j: usize| Some((*function)?).zip(rows.get(j)?.line);
            for (known, same) in lines::pairs(&texts(&shown), &texts(&rows)) {
                if let Some(line) = known.and_then(|known| all.get_mut(known)) {
                    line.add(same.and_then(line_of));
                }
            }
        }
        all
    }
}

/// A line of a function's text in each run of a side.
pub(super) struct LineInEach<'a> {
    pub(super) number: u32,
    pub(super) source: &'a str,
    /// Empty where nothing can be executed.
    pub(super) figures: Vec<Figures>,
    is_executable: bool,
}

impl<'a> LineInEach<'a> {
    fn new(row: &Row<'a>) -> Self {
        Self {
            number: row.number,
            source: row.source,
            figures: Vec::new(),
            is_executable: row.line.is_some(),
        }
    }

    /// What it had in another run; `None` if it was not there.
    fn add(&mut self, line: Option<(&FunctionProfile, &Line)>) {
        match line {
            Some((function, line)) => self.figures.push(Figures::of_line(function, line)),
            None if self.is_executable => self.figures.push(Figures::absent()),
            None => {}
        }
    }
}

fn texts<'a>(rows: &[Row<'a>]) -> Vec<&'a str> {
    rows.iter().map(|row| row.source).collect()
}
