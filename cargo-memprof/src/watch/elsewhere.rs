//! Every platform but Linux: memory and descendants of other processes through sysinfo. RSS only.

use std::cell::RefCell;
use std::collections::HashSet;
use std::io;

use super::listed::Listed;
use memprof_model::run::Measure;
use sysinfo::{Pid, Process, ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind};

/// A process's memory, to be read again and again.
#[derive(Debug)]
pub(crate) struct Memory {
    pid: Pid,
    system: RefCell<System>,
}

impl Memory {
    /// # Errors
    /// When there is no such process, or something else than RSS is wanted.
    pub(crate) fn open(pid: u32, measure: Measure) -> io::Result<Memory> {
        if measure != Measure::Rss {
            let reason = "PSS and USS are read on Linux only";
            return Err(io::Error::new(io::ErrorKind::Unsupported, reason));
        }
        let mut memory = Memory {
            pid: Pid::from_u32(pid),
            system: RefCell::new(System::new()),
        };
        match memory.read()? {
            Some(_) => Ok(memory),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// How it is read, as `run.json` names it.
    pub(crate) fn backend(_measure: Measure) -> &'static str {
        "sysinfo"
    }

    /// Bytes; `None` when the process has ended.
    ///
    /// # Errors
    /// Never; on Linux the kernel may refuse.
    pub(crate) fn read(&mut self) -> io::Result<Option<u64>> {
        let mut system = self.system.borrow_mut();
        let kind = ProcessRefreshKind::nothing().with_memory().without_tasks();
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&[self.pid]), true, kind);
        Ok(system
            .process(self.pid)
            .map(Process::memory)
            .filter(|&bytes| bytes > 0))
    }

    /// The kernel's high-water mark: not known here.
    pub(crate) fn high_water(&self) -> Option<u64> {
        None
    }
}

/// Why a process has no memory to be read: that is not known here.
pub(crate) fn why_without_memory(_pid: u32) -> Option<&'static str> {
    None
}

/// Whether a process runs in the memory of its parent: that is not known here.
pub(crate) fn has_memory_of(_pid: u32, _parent: u32) -> bool {
    false
}

/// The processes of the machine, as far as descendants are concerned.
#[derive(Debug, Default)]
pub(crate) struct Processes {
    known: HashSet<u32>,
}

impl Processes {
    /// Whether a process may have begun since this was asked last: that is not known here.
    pub(crate) fn may_be_more(&mut self) -> bool {
        true
    }

    /// Processes that were not there at the last look, with their parents.
    pub(crate) fn new_ones(&mut self) -> Vec<(u32, u32)> {
        let system = look();
        let parents: Vec<_> = system
            .processes()
            .values()
            .filter_map(|process| Some((process.pid().as_u32(), process.parent()?.as_u32())))
            .collect();
        let new = parents.iter().filter(|(pid, _)| !self.known.contains(pid));
        let new = new.copied().collect();
        self.known = parents.iter().map(|(pid, _)| *pid).collect();
        new
    }

    /// The name of a process's program.
    pub(crate) fn name(pid: u32) -> Option<String> {
        let system = look();
        let process = system.process(Pid::from_u32(pid))?;
        Some(process.name().to_string_lossy().into_owned())
    }

    /// Every process.
    pub(crate) fn all() -> Vec<Listed> {
        let system = look();
        let all = system.processes().values();
        let listed = all.map(|process| Listed {
            pid: process.pid().as_u32(),
            name: process.name().as_encoded_bytes().to_vec(),
            command: words(process),
        });
        listed.collect()
    }

    /// The command line; empty where it cannot be told.
    pub(crate) fn command(pid: u32) -> Vec<String> {
        look()
            .process(Pid::from_u32(pid))
            .map(words)
            .unwrap_or_default()
    }
}

fn look() -> System {
    let mut system = System::new();
    let kind = ProcessRefreshKind::nothing()
        .with_cmd(UpdateKind::Always)
        .without_tasks();
    system.refresh_processes_specifics(ProcessesToUpdate::All, true, kind);
    system
}

fn words(process: &Process) -> Vec<String> {
    let words = process.cmd().iter();
    words
        .map(|word| word.to_string_lossy().into_owned())
        .collect()
}
