//! Every output of a run says the same as its `run.json`, to the last digit that it shows.
//!
//! The outputs are read back as text, by their headings, and compared with the numbers in the JSON.
//! Nothing here uses the code that formats numbers.

mod files;
mod lines;
mod pages;
mod random_run;
mod sentences;

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;

use memprof_model::run::Run;
use serde_json::Value;

use crate::fixture;
use crate::store::RunFolder;
use crate::store::{file_names, write};

const MIB: f64 = 1_048_576.0;

/// Everything that was written for a run.
struct Written {
    _root: tempfile::TempDir,
    folder: PathBuf,
    run: Run,
    json: Value,
    names: Vec<String>,
}

impl Written {
    fn file(&self, name: &str) -> String {
        fs::read_to_string(self.folder.join(name)).unwrap()
    }

    /// The functions in the JSON, each with the name of its files.
    fn functions(&self) -> impl Iterator<Item = (&Value, &String)> {
        let functions = self.json["functions"].as_array().unwrap();
        functions.iter().zip(&self.names)
    }
}

/// The reports of all fixtures, with their names.
fn all() -> Vec<(&'static str, Written)> {
    let written = |run: Run| {
        let root = tempfile::tempdir().unwrap();
        let folder = write(&run, root.path(), &RunFolder::new()).unwrap();
        let text = fs::read(folder.join("run.json")).unwrap();
        Written {
            _root: root,
            folder,
            json: serde_json::from_slice(&text).unwrap(),
            names: file_names::assign(&run.functions),
            run,
        }
    };
    let runs = fixture::all().into_iter();
    runs.map(|(name, run)| (name, written(run))).collect()
}

/// A field of the JSON by its path, `"heap.net"`; nothing if it or what holds it is null.
fn number(value: &Value, path: &str) -> Option<f64> {
    path.split('.')
        .try_fold(value, |value, field| value.get(field))?
        .as_f64()
}

/// Whether `shown`, blank for zero, is `exact` rounded to the digits that it has.
fn rounds(shown: &str, exact: f64) -> bool {
    let shown = shown.trim();
    match shown {
        "" => exact == 0.0,
        "<0.001" | "+<0.001" => exact > 0.0 && exact < 0.000_5,
        "-<0.001" => exact < 0.0 && exact > -0.000_5,
        _ => {
            let decimals = shown.split_once('.').map_or(0, |(_, part)| part.len());
            let last = 0.1_f64.powi(decimals as i32);
            let number: f64 = shown.replace('\u{202f}', "").parse().unwrap_or(f64::NAN);
            (number - exact).abs() <= last / 2.0 + last * 1e-6
        }
    }
}

/// Whether `shown`, with its unit, is so many nanoseconds.
fn is_duration(shown: &str, ns: f64) -> bool {
    if let Some((minutes, seconds)) = shown.trim().split_once(" min ") {
        let seconds: f64 = seconds.trim_end_matches(" s").parse().unwrap();
        return (minutes.parse::<f64>().unwrap() * 60.0 + seconds - ns / 1e9).abs() <= 1.0;
    }
    let (amount, unit) = shown.trim().split_once(' ').unwrap_or(("", ""));
    let scale = HashMap::from([("ns", 1.0), ("µs", 1e3), ("ms", 1e6), ("s", 1e9)]);
    scale
        .get(unit)
        .is_some_and(|scale| rounds(amount, ns / scale))
}

/// The columns of a heading whose titles stand at least two blanks apart, each with where it ends.
fn ends(heading: &str) -> Vec<(String, usize)> {
    let mut ends: Vec<(String, usize)> = Vec::new();
    let mut blanks = 2;
    for (i, c) in heading.chars().enumerate() {
        if c == ' ' {
            blanks += 1;
            continue;
        }
        match ends.last_mut() {
            Some((title, end)) if blanks < 2 => {
                title.push_str(&" ".repeat(blanks));
                title.push(c);
                *end = i + 1;
            }
            _ => ends.push((c.to_string(), i + 1)),
        }
        blanks = 0;
    }
    ends
}

/// The cells of a row, whose numbers end where the headings end.
fn cells(row: &str, ends: &[(String, usize)]) -> Vec<String> {
    let row: Vec<char> = row.chars().collect();
    let mut from = 0;
    let cells = ends.iter().map(|(_, end)| {
        let to = (*end).min(row.len());
        let cell: String = row.get(from..to).unwrap_or_default().iter().collect();
        from = to;
        cell.trim().to_owned()
    });
    cells.collect()
}

/// What stands between the two in each place where they occur.
fn between<'a>(text: &'a str, from: &str, to: &str) -> Vec<&'a str> {
    let parts = text.split(from).skip(1);
    parts
        .map(|part| part.split(to).next().unwrap_or_default())
        .collect()
}

/// The text of a piece of HTML.
fn plain(html: &str) -> String {
    let mut text = String::new();
    for (i, part) in html.split('<').enumerate() {
        text.push_str(if i == 0 {
            part
        } else {
            part.split_once('>').map_or("", |(_, text)| text)
        });
    }
    text.replace("&#60;", "<").replace("&lt;", "<")
}
