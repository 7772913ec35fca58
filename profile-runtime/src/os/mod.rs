//! Reading the operating system: the one place that knows how memory figures are obtained.

#[cfg(target_os = "linux")]
mod procfs;
mod sysinfo;

pub(crate) mod hooks;
#[cfg(all(feature = "report", target_os = "linux"))]
pub(crate) mod limits;
#[cfg(all(feature = "report", target_os = "linux"))]
pub(crate) mod reserve;
pub(crate) mod thread;

use std::io;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::settings::Backend;

/// Bytes of memprof's own that the system counts in and figures leave out: see `reserve`.
static SET_ASIDE: AtomicU64 = AtomicU64::new(0);

/// The process's memory as the operating system sees it.
///
/// On Linux `/proc/self` through kept-open descriptors (1.5 µs a reading); everywhere else, and on
/// request, sysinfo (about 45 µs).
#[derive(Debug)]
pub(crate) enum Os {
    #[cfg(target_os = "linux")]
    Procfs(procfs::Procfs),
    Sysinfo(Box<sysinfo::Sysinfo>),
}

/// Makes a new page resident and gives it back, without the program's allocator, whose habits (glibc's
/// mmap threshold, for one) change with what it is asked for.
pub(crate) fn touch_a_page() {
    #[cfg(target_os = "linux")]
    procfs::touch_a_page();
}

/// From now on so many bytes of the process's RSS are left out of all figures.
#[cfg(all(feature = "report", target_os = "linux"))]
pub(crate) fn leave_out(bytes: u64) {
    SET_ASIDE.store(bytes, Relaxed);
}

fn without_set_aside(bytes: u64) -> u64 {
    bytes.saturating_sub(SET_ASIDE.load(Relaxed))
}

/// What the kernel counts of its own accord.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counts {
    /// Page faults of the process so far, minor and major.
    pub faults: u64,
    /// The high-water mark in bytes as `getrusage` tells it.
    pub max_rss: u64,
}

impl Os {
    /// Opens the wanted backend; without a wish, the cheapest that works here.
    pub(crate) fn open(wanted: Option<Backend>) -> io::Result<Os> {
        #[cfg(target_os = "linux")]
        if wanted != Some(Backend::Sysinfo) {
            match procfs::Procfs::open() {
                Ok(procfs) => return Ok(Os::Procfs(procfs)),
                Err(error) if wanted.is_some() => return Err(error),
                Err(_) => {}
            }
        }
        #[cfg(not(target_os = "linux"))]
        if wanted == Some(Backend::Statm) {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "/proc/self/statm is read on Linux only",
            ));
        }
        Ok(Os::Sysinfo(Box::new(sysinfo::Sysinfo::open()?)))
    }

    /// The backend's name, as it stands in `run.json`.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            #[cfg(target_os = "linux")]
            Os::Procfs(_) => "statm",
            Os::Sysinfo(_) => "sysinfo",
        }
    }

    /// RSS in bytes.
    pub(crate) fn rss(&mut self) -> io::Result<u64> {
        let rss = match self {
            #[cfg(target_os = "linux")]
            Os::Procfs(procfs) => procfs.rss(),
            Os::Sysinfo(sysinfo) => sysinfo.rss(),
        };
        rss.map(without_set_aside)
    }

    /// Resets the high-water mark to the present RSS.
    ///
    /// # Errors
    /// Where the kernel does not offer that, or refuses it.
    pub(crate) fn reset_high_water(&mut self) -> io::Result<()> {
        match self {
            #[cfg(target_os = "linux")]
            Os::Procfs(procfs) => procfs.reset_high_water(),
            Os::Sysinfo(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// The high-water mark in bytes, from `/proc/self/status`: exact where `Counts::max_rss` can
    /// carry a floor over from before `exec`, and six times its price.
    pub(crate) fn high_water(&mut self) -> io::Result<u64> {
        let high = match self {
            #[cfg(target_os = "linux")]
            Os::Procfs(procfs) => procfs.high_water(),
            Os::Sysinfo(_) => Err(io::ErrorKind::Unsupported.into()),
        };
        high.map(without_set_aside)
    }

    /// Page faults and the high-water mark, in one cheap call (0.7 µs).
    pub(crate) fn counts(&self) -> Option<Counts> {
        let counts = match self {
            #[cfg(target_os = "linux")]
            Os::Procfs(_) => procfs::counts(),
            Os::Sysinfo(_) => None,
        };
        counts.map(|counts| Counts {
            max_rss: without_set_aside(counts.max_rss),
            ..counts
        })
    }

    /// Page faults of the calling thread so far (0.5 µs).
    pub(crate) fn thread_faults(&self) -> Option<u64> {
        match self {
            #[cfg(target_os = "linux")]
            Os::Procfs(_) => procfs::thread_faults(),
            Os::Sysinfo(_) => None,
        }
    }

    /// Processors of the machine that are online, whether or not this process may use them.
    pub(crate) fn processors(&self) -> u64 {
        match self {
            #[cfg(target_os = "linux")]
            Os::Procfs(_) => procfs::processors(),
            Os::Sysinfo(_) => 1,
        }
    }

    /// Size of a page in bytes.
    pub(crate) fn page_size(&self) -> u64 {
        match self {
            #[cfg(target_os = "linux")]
            Os::Procfs(procfs) => procfs.page_size(),
            Os::Sysinfo(_) => 4096,
        }
    }
}
