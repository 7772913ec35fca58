//! The operating system: the one place that knows how memory figures are obtained. Tests replace it by a script.

#[cfg(target_os = "linux")]
pub(crate) mod kept_file;
#[cfg(target_os = "linux")]
mod procfs;
mod sysinfo;

mod clock;
mod counts;
pub(crate) mod environment;
pub(crate) mod hooks;
#[cfg(all(feature = "report", target_os = "linux"))]
pub(crate) mod memory_left;
mod own_mark;
pub(crate) mod own_pages;
#[cfg(test)]
pub(crate) mod own_process;
pub(crate) mod own_stack;
#[cfg(test)]
pub(crate) mod scripted;
pub(crate) mod signal_mask;
pub(crate) mod stderr;
pub(crate) mod thread;
pub(crate) mod write_signals;

use std::io;

use own_pages::{OwnMemory, without_own};

pub(crate) use clock::Clock;
pub(crate) use counts::ProcessCounts;

/// How RSS is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// `/proc/self/statm`, Linux only: 1.5 µs a reading.
    Statm,
    /// The sysinfo crate, every platform: about 45 µs a reading.
    Sysinfo,
}

/// The process's memory as the operating system sees it.
///
/// On Linux `/proc/self` through kept-open descriptors (1.5 µs a reading); everywhere else, and on
/// request, sysinfo (about 45 µs).
#[derive(Debug)]
pub(crate) enum Os {
    #[cfg(target_os = "linux")]
    Procfs(procfs::Procfs),
    Sysinfo(Box<sysinfo::Sysinfo>),
    #[cfg(test)]
    Scripted(&'static scripted::Script),
}

/// Makes a new page resident and gives it back. Not with the program's allocator, whose habits (such as glibc's mmap
/// threshold) change with what it is asked for.
pub(crate) fn touch_a_page() {
    #[cfg(target_os = "linux")]
    procfs::touch_a_page();
}

/// Whether the system would give the process so many bytes now. Always `true` on other systems than Linux.
#[cfg(feature = "report")]
pub(crate) fn can_be_had(bytes: usize) -> bool {
    #[cfg(target_os = "linux")]
    return procfs::can_be_mapped(bytes);
    #[cfg(not(target_os = "linux"))]
    {
        let _ = bytes;
        true
    }
}

/// What was read, without what is memprof's own.
fn less_own((read, own): (io::Result<u64>, OwnMemory)) -> io::Result<u64> {
    read.map(|rss| rss.saturating_sub(own.rss()))
}

impl Os {
    /// Opens the wanted backend, or else the cheapest that works here.
    pub(crate) fn open(wanted: Option<Backend>) -> io::Result<Os> {
        let mut refused = None;
        #[cfg(target_os = "linux")]
        if wanted != Some(Backend::Sysinfo) {
            match procfs::Procfs::open().map_err(|error| procfs::explained(&error)) {
                Ok(procfs) => return Ok(Os::Procfs(procfs)),
                Err(error) if wanted.is_some() => return Err(error),
                Err(error) => refused = Some(error),
            }
        }
        #[cfg(not(target_os = "linux"))]
        if wanted == Some(Backend::Statm) {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "/proc/self/statm is read on Linux only",
            ));
        }
        match sysinfo::Sysinfo::open() {
            Ok(sysinfo) => Ok(Os::Sysinfo(Box::new(sysinfo))),
            Err(error) => Err(refused.take().unwrap_or(error)),
        }
    }

    /// The backend's name, as it stands in `run.json`.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            #[cfg(target_os = "linux")]
            Os::Procfs(_) => "statm",
            Os::Sysinfo(_) => "sysinfo",
            #[cfg(test)]
            Os::Scripted(_) => "scripted",
        }
    }

    /// RSS in bytes. As in all figures, memprof's own memory is left out as far as it is known apart.
    pub(crate) fn rss(&mut self) -> io::Result<u64> {
        match self {
            #[cfg(target_os = "linux")]
            Os::Procfs(procfs) => less_own(without_own(|| procfs.rss())),
            Os::Sysinfo(sysinfo) => less_own(without_own(|| sysinfo.rss())),
            #[cfg(test)]
            Os::Scripted(script) => script.read_rss(),
        }
    }

    /// How much of `rss`, which has just been read, is in no file: all of it where that cannot be told.
    pub(crate) fn anonymous(&mut self, rss: u64) -> u64 {
        match self {
            #[cfg(target_os = "linux")]
            Os::Procfs(procfs) => rss.saturating_sub(procfs.of_files().unwrap_or(0)),
            Os::Sysinfo(_) => rss,
            #[cfg(test)]
            Os::Scripted(_) => rss,
        }
    }

    /// Resets the high-water mark to the present RSS.
    ///
    /// # Errors
    /// Where the kernel does not offer that or refuses it, or another copy of memprof in the process does it.
    pub(crate) fn reset_high_water(&mut self) -> io::Result<()> {
        match self {
            #[cfg(target_os = "linux")]
            Os::Procfs(procfs) => own_pages::resetting_mark(|| procfs.reset_high_water()),
            Os::Sysinfo(_) => Err(io::ErrorKind::Unsupported.into()),
            #[cfg(test)]
            Os::Scripted(script) => script.reset_high_water(),
        }
    }

    /// The high-water mark in bytes, from `/proc/self/status`. Costs six times as much as `ProcessCounts::max_rss`,
    /// but holds nothing from before `exec`.
    pub(crate) fn high_water(&mut self) -> io::Result<u64> {
        match self {
            #[cfg(target_os = "linux")]
            Os::Procfs(procfs) => own_pages::exact_mark_without_own(|| procfs.high_water()),
            Os::Sysinfo(_) => Err(io::ErrorKind::Unsupported.into()),
            #[cfg(test)]
            Os::Scripted(script) => Ok(script.high_water()),
        }
    }

    /// Page faults and the high-water mark, in one cheap call (0.7 µs).
    pub(crate) fn counts(&self) -> Option<ProcessCounts> {
        match self {
            #[cfg(target_os = "linux")]
            Os::Procfs(_) => {
                let read = || procfs::counts().map(|counts| (counts.max_rss, counts.faults));
                let (max_rss, faults, own) = own_pages::mark_without_own(read)?;
                Some(ProcessCounts {
                    faults: faults.saturating_sub(own.faults),
                    max_rss,
                })
            }
            Os::Sysinfo(_) => None,
            #[cfg(test)]
            Os::Scripted(script) => Some(script.counts()),
        }
    }

    /// Page faults of the calling thread so far (0.5 µs).
    pub(crate) fn thread_faults(&self) -> Option<u64> {
        match self {
            #[cfg(target_os = "linux")]
            Os::Procfs(_) => {
                let faults = procfs::thread_faults()?;
                Some(faults.saturating_sub(own_pages::faults_of_this_thread()))
            }
            Os::Sysinfo(_) => None,
            #[cfg(test)]
            Os::Scripted(script) => Some(script.thread_faults()),
        }
    }

    /// Processor time that the calling thread has used, in nanoseconds; 0 where it cannot be told.
    pub(crate) fn thread_cpu_ns(&self) -> u64 {
        match self {
            #[cfg(target_os = "linux")]
            Os::Procfs(_) => thread::cpu_ns(),
            Os::Sysinfo(_) => 0,
            #[cfg(test)]
            Os::Scripted(script) => script.thread_cpu_ns(),
        }
    }

    /// Whether a page fault may bring a huge page although the program has not asked for that.
    pub(crate) fn gives_huge_pages(&self) -> bool {
        match self {
            #[cfg(target_os = "linux")]
            Os::Procfs(_) => procfs::gives_huge_pages(),
            Os::Sysinfo(_) => false,
            #[cfg(test)]
            Os::Scripted(_) => false,
        }
    }

    /// Processors of the machine that are online, whether or not this process may use them.
    pub(crate) fn processors(&self) -> u64 {
        match self {
            #[cfg(target_os = "linux")]
            Os::Procfs(_) => procfs::processors(),
            Os::Sysinfo(_) => 1,
            #[cfg(test)]
            Os::Scripted(_) => 1,
        }
    }

    /// Size of a page in bytes.
    pub(crate) fn page_size(&self) -> u64 {
        match self {
            #[cfg(target_os = "linux")]
            Os::Procfs(procfs) => procfs.page_size(),
            Os::Sysinfo(_) => 4096,
            #[cfg(test)]
            Os::Scripted(_) => scripted::PAGE,
        }
    }
}
