//! The order of folders: each package's folders stand on floors, and import only downwards.
//!
//! The floors are the tables in the section "Folders" of `docs/how-it-works.md`, read by `floors`. The imports
//! are read from the source: `modules` follows the `mod` declarations from `lib.rs` or `main.rs`, `mentions`
//! finds every path in a file, and `arrows` tells which files a path leads to. `circles` finds files
//! that import each other.
//!
//! A path through a re-export counts twice: it leads to the file that hands the name on, and to the file that
//! defines it. So a facade hides nothing, and a file does not reach its neighbour through the folder above.
//! Code under `#[cfg(test)]`, and files that only such code declares, are left out.
//!
//! Two more things are held that the page says: `unsafe_code` reads its table of unsafe code, and `named_files` the
//! names of files on it.

mod arrows;
mod attributes;
mod circles;
mod floors;
mod mentions;
mod modules;
mod named_files;
#[cfg(test)]
mod planted;
mod unsafe_code;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use arrows::{Arrow, arrows};
use circles::circles;
use floors::Floors;
use modules::Modules;
pub use named_files::{check_links, check_named_files};
pub use unsafe_code::check_unsafe_table;

/// The page whose tables say which folder stands on which floor.
pub const PAGE: &str = "docs/how-it-works.md";

/// Says what is wrong with the imports of `package`, a folder of `workspace`.
///
/// # Errors
/// When there is anything: one paragraph for each finding.
pub fn check(workspace: &Path, package: &str) -> Result<(), String> {
    let findings = findings(workspace, package).unwrap_or_else(|missing| vec![missing]);
    match findings.is_empty() {
        true => Ok(()),
        false => Err(findings
            .iter()
            .map(|finding| format!("{package}: {finding}"))
            .collect::<Vec<_>>()
            .join("\n\n")),
    }
}

/// The packages that have a table, from top to bottom.
///
/// # Errors
/// When the page cannot be read.
pub fn packages(workspace: &Path) -> Result<Vec<String>, String> {
    Ok(floors::packages(&read(&workspace.join(PAGE))?))
}

fn findings(workspace: &Path, package: &str) -> Result<Vec<String>, String> {
    let floors = Floors::of(package, &read(&workspace.join(PAGE))?)?;
    let modules = Modules::of(&workspace.join(package).join("src"))?;
    let arrows = arrows(&modules);
    let mut findings = disagreements(&floors, &modules);
    findings.extend(arrows.iter().filter_map(|arrow| not_down(&floors, arrow)));
    findings.extend(in_circles(&arrows));
    Ok(findings)
}

fn read(file: &Path) -> Result<String, String> {
    fs::read_to_string(file).map_err(|error| format!("{} cannot be read: {error}", file.display()))
}

/// Where the table and the folders do not name the same things.
fn disagreements(floors: &Floors, modules: &Modules) -> Vec<String> {
    let mut texts = floors.faults().to_vec();
    let files = modules.files().map(room);
    let unknown: BTreeSet<_> = files
        .filter(|room| floors.of_room(room).is_none())
        .collect();
    texts.extend(unknown.iter().map(|room| {
        format!("src/{room} stands in no row of the table in {PAGE}: give it a floor there")
    }));
    let missing = floors
        .rooms()
        .filter(|room| !modules.source().join(room).exists());
    texts.extend(missing.map(|room| {
        format!(
            "{PAGE} gives src/{room} a floor, and there is no such thing: take it out of the table"
        )
    }));
    texts
}

/// The file or folder directly under `src` that `file` belongs to.
fn room(file: &str) -> &str {
    file.split_inclusive('/').next().unwrap_or(file)
}

/// What is wrong with an import that does not lead to a lower floor.
fn not_down(floors: &Floors, arrow: &Arrow) -> Option<String> {
    let (from, to) = (room(&arrow.from), room(&arrow.to));
    let (here, there) = (floors.of_room(from)?, floors.of_room(to)?);
    // Floors are counted from the top.
    if from == to || here < there {
        return None;
    }
    let (way, advice) = match here == there {
        true => (
            "across",
            "move what both need to a floor below, or give each of the two a floor of its own",
        ),
        false => (
            "up",
            "move what is needed to a floor below, import it from where it is defined, or have it handed in",
        ),
    };
    let Arrow { line, path, .. } = arrow;
    Some(format!(
        "src/{}:{line} imports `{path}` from src/{}, which leads {way} from floor {here} (`{from}`) to floor {there} (`{to}`). \
         Imports lead down: {advice}. The floors are in {PAGE}, counted from the top.",
        arrow.from, arrow.to,
    ))
}

/// Files that import each other in a circle.
fn in_circles(arrows: &[Arrow]) -> Option<String> {
    let circles = circles(arrows);
    if circles.is_empty() {
        return None;
    }
    let mut text = String::from(
        "files import each other in a circle. Open it: move what one of them needs to a file of its own, import \
         from the file that defines a name and not through `mod.rs`, or have it handed in.",
    );
    for circle in &circles {
        text += &format!("\n  circle of {}:", circle.len());
        for arrow in circle.arrows() {
            let Arrow {
                from,
                line,
                path,
                to,
            } = arrow;
            text += &format!("\n    src/{from}:{line} imports `{path}` from src/{to}");
        }
    }
    Some(text)
}
