//! Brings a function's text and the figures of its lines together, row by row.

use memprof_model::run::{FunctionProfile, Line};

/// A row of a line table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'a> {
    /// Line number in the source file.
    pub(crate) number: u32,
    /// The line's text as it is in the source.
    pub(crate) source: &'a str,
    /// The figures; `None` where nothing can be executed.
    pub(crate) line: Option<&'a Line>,
}

impl Row<'_> {
    /// The figures, if the line ran.
    pub(crate) fn executed(&self) -> Option<&Line> {
        self.line
            .filter(|line| line.hits > 0 || line.workers.is_some())
    }
}

/// All lines of the function's text in order, with their figures. Lines that were measured but are
/// not in the text (it may be unknown) come at their place too, so that nothing is left out.
pub(crate) fn rows(profile: &FunctionProfile) -> Vec<Row<'_>> {
    let number = |i: usize| {
        profile
            .source_line
            .saturating_add(u32::try_from(i).unwrap_or(u32::MAX))
    };
    let text = profile.source.lines().enumerate();
    let mut rows: Vec<Row<'_>> = text
        .map(|(i, source)| Row {
            number: number(i),
            source,
            line: None,
        })
        .collect();
    for line in &profile.lines {
        match rows
            .iter_mut()
            .find(|row| row.number == line.line && row.line.is_none())
        {
            Some(row) => row.line = Some(line),
            None => rows.push(Row {
                number: line.line,
                source: &line.source,
                line: Some(line),
            }),
        }
    }
    rows.sort_by_key(|row| row.number);
    rows
}

/// Whether only some of the line's hits ended with a reading of their own.
pub(crate) fn in_part(line: &Line) -> bool {
    line.readings < line.hits
}

/// Whether other calls or threads may have had a part in the line's changes of RSS.
pub(crate) fn is_shared(line: &Line) -> bool {
    line.shared > 0
}

/// The line's marks in a table: `~` measured in part, `*` shared.
pub(crate) fn marks(line: &Line) -> &'static str {
    match (in_part(line), is_shared(line)) {
        (false, false) => "",
        (true, false) => "~",
        (false, true) => "*",
        (true, true) => "~*",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn every_line_of_the_text_has_its_row_in_order() {
        for (name, run) in fixture::all() {
            for function in &run.functions {
                let rows = rows(function);
                assert_eq!(rows.len(), function.source.lines().count(), "{name}");
                assert!(rows.is_sorted_by_key(|row| row.number), "{name}");
                assert_eq!(
                    rows.iter().filter(|r| r.line.is_some()).count(),
                    function.lines.len()
                );
            }
        }
    }

    #[test]
    fn lines_outside_the_text_are_kept() {
        let mut function = fixture::inverse().functions.remove(0);
        function.source.clear();
        assert_eq!(rows(&function).len(), function.lines.len());
    }
}
