//! RSS through the sysinfo crate: on every platform but Linux, and on Linux on request.

use std::io;

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

#[derive(Debug)]
pub(crate) struct Sysinfo {
    system: System,
    pid: Pid,
}

impl Sysinfo {
    pub(crate) fn open() -> io::Result<Sysinfo> {
        let pid = sysinfo::get_current_pid().map_err(io::Error::other)?;
        let mut sysinfo = Sysinfo {
            system: System::new(),
            pid,
        };
        sysinfo.rss()?;
        Ok(sysinfo)
    }

    pub(crate) fn rss(&mut self) -> io::Result<u64> {
        self.system.refresh_processes_specifics(
            ProcessesToUpdate::Some(&[self.pid]),
            false,
            ProcessRefreshKind::nothing().with_memory().without_tasks(),
        );
        let process = self.system.process(self.pid).ok_or_else(|| {
            io::Error::new(io::ErrorKind::NotFound, "sysinfo does not see this process")
        })?;
        Ok(process.memory())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::own_process::alone;

    /// In a process of its own, because other tests give memory back meanwhile.
    #[test]
    fn sysinfo_sees_what_the_program_touches() {
        alone(|| {
            let mut sysinfo = Sysinfo::open().unwrap();
            let before = sysinfo.rss().unwrap();
            let touched = vec![1_u8; 32 << 20];
            let after = sysinfo.rss().unwrap();
            assert!(after >= before + (30 << 20), "{before} {after}");
            drop(touched);
        });
    }
}
