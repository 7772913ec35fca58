//! From a word on the command line to a run.

use std::path::Path;

use memprof_report::{SavedRun, saved_runs};

use super::Store;
use super::entry::Entry;
use crate::failure::{Failure, Outcome};

const ADVICE: &str = "`cargo memprof list` shows what there is; --dir names another folder of runs";

impl Store {
    /// The run that `word` means: a path, a number of `list`, `latest`, a folder's name, or a program's
    /// (its newest run). Without a word the newest run.
    ///
    /// # Errors
    /// When there is none; the message says what was looked for, and where.
    pub(crate) fn lookup(&self, word: Option<&str>) -> Outcome<Entry> {
        let word = word.unwrap_or("latest");
        self.find_entry(word)?.ok_or_else(|| self.not_found(word))
    }

    /// The runs that `words` mean; without a word the newest one.
    ///
    /// # Errors
    /// As [`Store::lookup`].
    pub(crate) fn lookup_all(&self, words: &[String]) -> Outcome<Vec<Entry>> {
        if words.is_empty() {
            return Ok(vec![self.lookup(None)?]);
        }
        let words = words.iter();
        words.map(|word| self.lookup(Some(word))).collect()
    }

    /// The runs of one side of a comparison: what [`Store::lookup`] knows, several of them with commas between, or
    /// two numbers with `..` between, both included.
    ///
    /// # Errors
    /// As [`Store::lookup`].
    pub(crate) fn lookup_side(&self, words: &str) -> Outcome<Vec<Entry>> {
        // A folder may have a comma in its name.
        if Path::new(words).exists() {
            return Ok(vec![self.lookup(Some(words))?]);
        }
        let mut entries = Vec::new();
        for word in words.split(',').map(str::trim) {
            match between(word) {
                Some((first, last)) => entries.extend(self.numbered_from(first, last)?),
                None => entries.push(self.lookup(Some(word))?),
            }
        }
        Ok(entries)
    }

    /// The runs from one number to another.
    fn numbered_from(&self, first: i64, last: i64) -> Outcome<Vec<Entry>> {
        let place = |number| self.place(number).map(|(place, _)| place);
        let (first, last) = (place(first)?, place(last)?);
        let (from, to) = (first.min(last), first.max(last));
        let entries = self.entries()?;
        Ok(entries.into_iter().take(to + 1).skip(from).collect())
    }

    /// Like [`Store::lookup`]; `None` if the word means no run.
    pub(crate) fn find_entry(&self, word: &str) -> Outcome<Option<Entry>> {
        if let Ok(number) = word.parse::<i64>() {
            return self.numbered(number).map(Some);
        }
        if word != "latest"
            && let Some(entry) = at_path(Path::new(word))?
        {
            return Ok(Some(entry));
        }
        let newest_first = || self.entries().map(|entries| entries.into_iter().rev());
        Ok(match word {
            "latest" => newest_first()?.find(|entry| entry.started.is_some()),
            name => {
                newest_first()?
                    .find(|entry| entry.name() == name)
                    .or(newest_first()?
                        .find(|entry| entry.header().is_some_and(|h| h.program == name)))
            }
        })
    }

    /// The run with this number, from the end if it is negative.
    fn numbered(&self, number: i64) -> Outcome<Entry> {
        let (at, mut entries) = self.place(number)?;
        Ok(entries.swap_remove(at))
    }

    /// The place of the run with this number among all, from the end if it is negative.
    fn place(&self, number: i64) -> Outcome<(usize, Vec<Entry>)> {
        let entries = self.entries()?;
        let count = entries.len() as i64;
        let at = if number < 0 { count + number } else { number };
        if !(0..count).contains(&at) {
            let there = match count {
                0 => "there are no runs".to_owned(),
                _ => format!("there are runs 0 to {}", count - 1),
            };
            let tried = format!("find run {number} in {}", self.root().display());
            return Err(Failure::new(tried, there, ADVICE));
        }
        Ok((at as usize, entries))
    }

    fn not_found(&self, word: &str) -> Failure {
        let reason = match word {
            "latest" => "there are no runs".to_owned(),
            _ => "there is no file, folder, number or program of that name".to_owned(),
        };
        Failure::new(
            format!("find run {word:?} in {}", self.root().display()),
            reason,
            ADVICE,
        )
    }
}

/// The numbers in `4..6`.
fn between(word: &str) -> Option<(i64, i64)> {
    let (first, last) = word.split_once("..")?;
    Some((first.parse().ok()?, last.parse().ok()?))
}

/// The run at `path`: its folder, its `run.json`, or a `.dat` file. `None` if nothing is there.
fn at_path(path: &Path) -> Outcome<Option<Entry>> {
    if path.is_dir() {
        return in_folder(path).map(Some);
    }
    if !path.is_file() {
        return Ok(None);
    }
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("json") => in_folder(path.parent().unwrap_or(Path::new("."))).map(Some),
        _ => Ok(Some(Entry::dat(path.to_path_buf()))),
    }
}

/// The run whose folder is `path`.
fn in_folder(path: &Path) -> Outcome<Entry> {
    let looked_for = || format!("read a run from {}", path.display());
    // What `latest` points to has the name that `list` shows.
    let folder = path
        .canonicalize()
        .map_err(|e| Failure::new(looked_for(), e, ADVICE))?;
    let name = folder
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    let among = saved_runs(folder.parent().unwrap_or(Path::new("/")))?;
    let run = among
        .into_iter()
        .find(|run: &SavedRun| Some(&run.folder) == name.as_ref());
    match (run, folder.parent()) {
        (Some(run), Some(parent)) => Ok(Entry::saved(parent, run)),
        _ => Err(Failure::new(
            looked_for(),
            "there is no run.json in it",
            ADVICE,
        )),
    }
}
