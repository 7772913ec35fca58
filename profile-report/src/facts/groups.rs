//! The brackets of a line table: which lines were read together, and where each bracket is drawn.

use memprof_model::run::{FunctionProfile, LineGroup};

use super::rows::Row;

/// A piece of a bracket, beside one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stroke {
    /// Nothing.
    None,
    /// The group's first line.
    First,
    /// Another line of the group.
    Inner,
    /// A line that is not of the group, between two that are.
    Through,
    /// The group's last line.
    Last,
}

/// A group as its bracket shows it.
#[derive(Debug, Clone)]
pub(crate) struct Bracket<'a> {
    pub(crate) group: &'a LineGroup,
    /// The numbers of its lines, in order.
    pub(crate) lines: Vec<u32>,
    /// Its first and last row.
    first: usize,
    last: usize,
    /// Which of the columns of brackets it stands in, so that none covers another.
    lane: usize,
}

/// The brackets over `rows`, in the order in which they begin.
#[derive(Debug, Clone)]
pub(crate) struct Brackets<'a> {
    pub(crate) all: Vec<Bracket<'a>>,
    /// How many columns they take.
    pub(crate) lanes: usize,
}

impl<'a> Brackets<'a> {
    /// Those of `profile`, of which `rows` are all rows.
    pub(crate) fn new(profile: &'a FunctionProfile, rows: &[Row<'_>]) -> Self {
        let of = |(place, group): (usize, &'a LineGroup)| {
            let is_of_it = |row: &Row<'_>| row.line.and_then(|line| line.group) == Some(place);
            let at: Vec<_> = (0..rows.len()).filter(|&i| is_of_it(&rows[i])).collect();
            Some(Bracket {
                group,
                lines: at.iter().map(|&i| rows[i].number).collect(),
                first: *at.first()?,
                last: *at.last()?,
                lane: 0,
            })
        };
        let mut all: Vec<_> = profile.groups.iter().enumerate().filter_map(of).collect();
        all.sort_by_key(|bracket| bracket.first);
        // The row at which each lane is free again.
        let mut free: Vec<usize> = Vec::new();
        for bracket in &mut all {
            let found = free.iter().position(|&row| row <= bracket.first);
            bracket.lane = found.unwrap_or(free.len());
            match found {
                Some(lane) => free[lane] = bracket.last + 1,
                None => free.push(bracket.last + 1),
            }
        }
        let lanes = free.len();
        Self { all, lanes }
    }

    /// The bracket that begins at the row at this place.
    pub(crate) fn beginning(&self, row: usize) -> Option<&Bracket<'a>> {
        self.all.iter().find(|bracket| bracket.first == row)
    }

    /// What stands beside the row at this place in each lane.
    pub(crate) fn strokes(&self, row: usize, number: u32) -> Vec<Stroke> {
        let mut strokes = vec![Stroke::None; self.lanes];
        for bracket in &self.all {
            if !(bracket.first..=bracket.last).contains(&row) {
                continue;
            }
            strokes[bracket.lane] = match row {
                row if row == bracket.first => Stroke::First,
                row if row == bracket.last => Stroke::Last,
                _ if bracket.lines.contains(&number) => Stroke::Inner,
                _ => Stroke::Through,
            };
        }
        strokes
    }
}

/// Numbers of lines in words: `"lines 3 to 5 and 9"`.
pub(crate) fn lines_in_words(lines: &[u32]) -> String {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for &line in lines {
        match runs.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(line) => *last = line,
            _ => runs.push((line, line)),
        }
    }
    let run = |&(first, last): &(u32, u32)| match last - first {
        0 => first.to_string(),
        1 => format!("{first}, {last}"),
        _ => format!("{first} to {last}"),
    };
    let shown: Vec<_> = runs.iter().map(run).collect();
    let noun = if lines.len() == 1 { "line" } else { "lines" };
    match shown.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{noun} {} and {last}", rest.join(", ")),
        Some((last, _)) => format!("{noun} {last}"),
        None => noun.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::rows::rows;
    use super::*;
    use crate::fixture;
    use Stroke::{First, Inner, Last, None, Through};

    fn drawn(profile: &FunctionProfile) -> Vec<Vec<Stroke>> {
        let rows = rows(profile);
        let brackets = Brackets::new(profile, &rows);
        let numbered = rows.iter().enumerate();
        numbered
            .map(|(i, row)| brackets.strokes(i, row.number))
            .collect()
    }

    #[test]
    fn a_bracket_stands_over_its_lines() {
        let profile = fixture::grouped().functions.remove(0);
        let strokes: Vec<_> = drawn(&profile).concat();
        assert_eq!(
            strokes,
            [None, None, None, First, Inner, Last, None, None, None]
        );
    }

    #[test]
    fn brackets_that_overlap_stand_side_by_side() {
        let mut profile = fixture::grouped().functions.remove(0);
        profile.groups.push(profile.groups[0]);
        let groups = [0, 1, 0, 1, 0, 1, 1].map(Some);
        for (line, group) in profile.lines.iter_mut().zip(groups) {
            line.group = group;
        }
        assert_eq!(
            drawn(&profile)[1..8],
            [
                [First, None],
                [Through, First],
                [Inner, Through],
                [Through, Inner],
                [Last, Through],
                [None, Inner],
                [None, Last],
            ]
        );
    }

    #[test]
    fn a_group_that_is_not_there_draws_nothing() {
        let mut profile = fixture::grouped().functions.remove(0);
        profile.groups.clear();
        assert!(drawn(&profile).concat().is_empty());
    }

    #[test]
    fn lines_are_named_in_short() {
        assert_eq!(lines_in_words(&[33, 34, 35]), "lines 33 to 35");
        assert_eq!(
            lines_in_words(&[1, 2, 7, 9, 10, 11]),
            "lines 1, 2, 7 and 9 to 11"
        );
        assert_eq!(lines_in_words(&[u32::MAX]), "line 4294967295");
    }
}
