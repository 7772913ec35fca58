//! The floors as the page states them: a heading and a table for each package, a row for each floor.
//!
//! A row names files and folders in its first cell, in backticks, and says in its second what they are for.

use std::collections::BTreeMap;

use super::PAGE;

/// The section of the page.
const SECTION: &str = "## Folders";

/// What stands on which floor of one package.
pub(super) struct Floors {
    /// Counted from the top, which is 1.
    by_room: BTreeMap<String, usize>,
    faults: Vec<String>,
}

impl Floors {
    /// Reads the table of `package` in `page`.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn of(package: &str, page: &str) -> Result<Floors, String> {
        let mut floors = Floors {
            by_room: BTreeMap::new(),
            faults: Vec::new(),
        };
        let rows = section(page)
            .skip_while(|line| package_of(line) != Some(package))
            .skip(1)
            .take_while(|line| package_of(line).is_none())
            .filter_map(cells);
        for (at, (rooms, sentence)) in rows.enumerate() {
            floors.add(at + 1, &rooms, sentence);
        }
        match floors.by_room.is_empty() {
            true => Err(format!(
                "{PAGE} has no table for it under \"{SECTION}\", after a heading \"### `{package}/src`\""
            )),
            false => Ok(floors),
        }
    }

    fn add(&mut self, floor: usize, rooms: &[&str], sentence: &str) {
        for room in rooms {
            if self.by_room.insert((*room).to_owned(), floor).is_some() {
                self.faults.push(format!(
                    "`{room}` stands in two rows of the table in {PAGE}"
                ));
            }
        }
        if !sentence.ends_with('.') {
            let rooms = rooms.join(", ");
            self.faults.push(format!(
                "the row of {rooms} in {PAGE} does not say in a sentence what they are for"
            ));
        }
    }

    /// The floor of a file, or of a folder with a slash at its end.
    pub(super) fn of_room(&self, room: &str) -> Option<usize> {
        self.by_room.get(room).copied()
    }

    pub(super) fn rooms(&self) -> impl Iterator<Item = &str> {
        self.by_room.keys().map(String::as_str)
    }

    /// What is wrong with the table itself.
    pub(super) fn faults(&self) -> &[String] {
        &self.faults
    }
}

/// The packages that have a heading.
pub(super) fn packages(page: &str) -> Vec<String> {
    section(page)
        .filter_map(package_of)
        .map(str::to_owned)
        .collect()
}

fn section(page: &str) -> impl Iterator<Item = &str> {
    page.lines()
        .skip_while(|line| *line != SECTION)
        .skip(1)
        .take_while(|line| !line.starts_with("## "))
}

fn package_of(line: &str) -> Option<&str> {
    line.strip_prefix("### `")?.strip_suffix("/src`")
}

/// The names in a row's first cell, and its second cell. The heading of a table names nothing.
fn cells(line: &str) -> Option<(Vec<&str>, &str)> {
    let (first, second) = line.strip_prefix('|')?.split_once('|')?;
    let rooms: Vec<_> = first.split('`').skip(1).step_by(2).collect();
    let second = second.trim().trim_end_matches('|').trim();
    (!rooms.is_empty()).then_some((rooms, second))
}
