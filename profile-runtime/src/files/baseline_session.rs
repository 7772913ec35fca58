//! What the processes of one `cargo test`, or one run of nextest, have found so far.
//!
//! Where several processes call a function, the highest figures of any of them count. So it must be known which
//! processes belong together: otherwise what an earlier `cargo test` saw would never be forgotten.

use std::path::Path;

use serde::{Deserialize, Serialize};

use memprof_report::internal::baseline::Record;
use memprof_report::internal::json;
use memprof_report::internal::process;
use memprof_report::{Baseline, Comparison, ReportError};

use crate::os::environment;

/// Far more bytes than a session of thousands of functions has.
const LARGEST: u64 = 16 << 20;

/// The session's file, which is kept between two processes.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    id: String,
    /// The programs that have run.
    programs: Vec<String>,
    before: Vec<Record>,
    now: Vec<Record>,
}

/// A session, with what this process found added.
#[derive(Debug)]
pub(super) struct Session {
    before: Baseline,
    now: Baseline,
}

impl Session {
    /// Adds `now` to the session kept at `path`. If the file is of another session, a new one begins, with the
    /// baseline as it was `before`.
    pub(super) fn go_on(
        path: &Path,
        before: &Baseline,
        now: &Baseline,
    ) -> Result<Session, ReportError> {
        Session::go_on_as(id(), program(), path, before, now)
    }

    /// The same for this `program` in the session with this `id`.
    fn go_on_as(
        id: Id,
        program: String,
        path: &Path,
        before: &Baseline,
        now: &Baseline,
    ) -> Result<Session, ReportError> {
        let mut kept = read(path)
            .filter(|kept| kept.id == id.text && !(id.is_vague && kept.programs.contains(&program)))
            .unwrap_or_else(|| Kept {
                id: id.text,
                programs: Vec::new(),
                before: before.entries().map(Record::new).collect(),
                now: Vec::new(),
            });
        let mut session = Session {
            before: baseline(std::mem::take(&mut kept.before), before),
            now: baseline(std::mem::take(&mut kept.now), before),
        };
        for (key, entry) in now.entries() {
            session.now.add(key.clone(), entry.clone());
        }
        if !kept.programs.contains(&program) {
            kept.programs.push(program);
        }
        kept.before = session.before.entries().map(Record::new).collect();
        kept.now = session.now.entries().map(Record::new).collect();
        let text = json::text_of(&kept).map_err(|reason| ReportError::write(path, reason))?;
        memprof_report::internal::write_file(path, text.as_bytes())?;
        Ok(session)
    }

    /// What all processes of the session have found.
    pub(super) fn now(&self) -> &Baseline {
        &self.now
    }

    /// What all processes have found, compared with the baseline as it was before.
    pub(super) fn comparison(&self) -> Comparison {
        self.before.compare(&self.now)
    }
}

/// The session's file; `None` if there is none, or one of another version: then this is the first process.
fn read(path: &Path) -> Option<Kept> {
    let text = memprof_report::internal::read_ours(path, LARGEST).ok()?;
    json::value_of(&text).ok()
}

fn baseline(records: Vec<Record>, settings: &Baseline) -> Baseline {
    let mut baseline = Baseline::default();
    baseline.tolerance = settings.tolerance;
    baseline.only.clone_from(&settings.only);
    for record in records {
        let (key, entry) = record.into_pair();
        baseline.add(key, entry);
    }
    baseline
}

/// Tells sessions apart.
struct Id {
    text: String,
    /// Whether the process that started this program may start it again for another session, as a shell does.
    /// cargo and nextest do not.
    is_vague: bool,
}

fn id() -> Id {
    // Set by nextest for all processes of one run.
    let nextest = environment::variable("NEXTEST_RUN_ID").and_then(|id| id.into_string().ok());
    if let Some(text) = nextest {
        return Id {
            text,
            is_vague: false,
        };
    }
    let of_process = |pid| format!("{pid} {}", process::start_of(pid).unwrap_or_default());
    if let Some(cargo) = cargo() {
        return Id {
            text: of_process(cargo),
            is_vague: false,
        };
    }
    Id {
        text: parent().map_or_else(String::new, of_process),
        is_vague: true,
    }
}

/// The cargo that started this process, or that started the test which started it.
fn cargo() -> Option<u32> {
    let ancestors = std::iter::successors(parent(), |&pid| process::parent_of(pid));
    ancestors.take(GENERATIONS).find(|pid| {
        let program = std::fs::read_link(format!("/proc/{pid}/exe"));
        program.is_ok_and(|program| program.file_name().is_some_and(|name| name == "cargo"))
    })
}

/// How many ancestors of the process are looked at.
const GENERATIONS: usize = 32;

fn parent() -> Option<u32> {
    #[cfg(unix)]
    return Some(std::os::unix::process::parent_id());
    #[cfg(not(unix))]
    None
}

/// This program's file.
fn program() -> String {
    let program = std::env::current_exe().unwrap_or_default();
    program.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests;
