//! Whose journal it is: enough to tell later whether that process is still at work.

use serde::{Deserialize, Serialize};

/// The version of the journal's records.
pub(crate) const FORMAT: u32 = 1;

/// The process that writes a journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Owner {
    /// [`FORMAT`]
    pub(crate) format: u32,
    /// Process identifier.
    pub(crate) pid: u32,
    /// When it started, in whatever unit the system has; empty where that cannot be told.
    pub(crate) start: String,
    /// Tells apart machines, and one machine before and after a restart.
    pub(crate) boot: String,
}

impl Owner {
    /// This process.
    pub(crate) fn this() -> Owner {
        let pid = std::process::id();
        Owner {
            format: FORMAT,
            pid,
            start: start_of(pid).unwrap_or_default(),
            boot: boot(),
        }
    }
}

/// When the process `pid` started, in clock ticks since the machine did (proc_pid_stat(5)).
fn start_of(pid: u32) -> Option<String> {
    let stat = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
    // The name before it may hold anything, a parenthesis too.
    let after_name = stat.rsplit(|&byte| byte == b')').next()?;
    let mut fields = after_name.trim_ascii().split(|&byte| byte == b' ');
    Some(String::from_utf8_lossy(fields.nth(19)?).into_owned())
}

fn boot() -> String {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    id.trim().to_owned()
}
