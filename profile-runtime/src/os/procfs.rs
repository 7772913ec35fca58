//! Memory figures on Linux: `/proc/self` through descriptors that stay open, and `getrusage`.
//!
//! A `pread` of a kept-open file costs a fifth of open, read and close. The files are described in
//! proc_pid_statm(5), proc_pid_status(5) and proc_pid_clear_refs(5).

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::FileExt;

use super::counts::ProcessCounts;
use super::kept_file::KeptFile;

#[derive(Debug)]
pub(crate) struct Procfs {
    statm: KeptFile,
    status: KeptFile,
    /// `/proc/self/clear_refs`, from the first reset on.
    mark: Option<KeptFile>,
    page_size: u64,
}

impl Procfs {
    pub(crate) fn open() -> io::Result<Procfs> {
        Ok(Procfs {
            statm: KeptFile::open(|| File::open("/proc/self/statm"))?,
            status: KeptFile::open(|| File::open("/proc/self/status"))?,
            mark: None,
            page_size: page_size(),
        })
    }

    pub(crate) fn page_size(&self) -> u64 {
        self.page_size
    }

    /// The second field of statm, in bytes.
    pub(crate) fn rss(&mut self) -> io::Result<u64> {
        let pages = match self.statm.with(resident_pages) {
            Ok(pages @ 1..) => pages,
            Err(error) if !is_of_ended_thread(&error) => return Err(error),
            Ok(0) | Err(_) => self.through_this_thread()?.statm.with(resident_pages)?,
        };
        Ok(pages * self.page_size)
    }

    /// The third field of statm, in bytes: what is resident of files and of shared memory.
    pub(crate) fn of_files(&mut self) -> io::Result<u64> {
        let pages = self.statm.with(|statm| field_of(statm, 2))?;
        Ok(pages * self.page_size)
    }

    /// Writing `5` resets `VmHWM` to the present RSS (Linux 4.0, unprivileged).
    pub(crate) fn reset_high_water(&mut self) -> io::Result<()> {
        let mark = match &mut self.mark {
            Some(mark) => mark,
            None => self.mark.insert(KeptFile::open(claim_mark)?),
        };
        mark.with(|mark| mark.write_at(b"5", 0).map(drop))
    }

    /// `VmHWM`, the high-water mark.
    pub(crate) fn high_water(&mut self) -> io::Result<u64> {
        match self.status.with(mark_in_status) {
            Ok(mark) => Ok(mark),
            Err(_) => self.through_this_thread()?.status.with(mark_in_status),
        }
    }

    /// Reads through the calling thread from now on. `/proc/self` is the main thread: once that one has ended while
    /// others go on (`pthread_exit` in `main`), it has no memory. Then whoever reads has it. If that thread ends, too,
    /// its files are gone, and the next reader's are opened.
    fn through_this_thread(&mut self) -> io::Result<&mut Self> {
        self.statm = KeptFile::open(|| File::open("/proc/thread-self/statm"))?;
        self.status = KeptFile::open(|| File::open("/proc/thread-self/status"))?;
        if self.mark.is_some() {
            // Claimed already, through the main thread.
            self.mark = Some(KeptFile::open(|| {
                open_mark("/proc/thread-self/clear_refs")
            })?);
        }
        Ok(self)
    }
}

/// What stands in the way of reading, for somebody who can change it.
pub(crate) fn explained(error: &io::Error) -> io::Error {
    let cause = match error.raw_os_error() {
        Some(libc::EMFILE | libc::ENFILE) => "no more files may be opened (`ulimit -n`)",
        Some(libc::ENOENT | libc::ENOTDIR) => "/proc is not mounted",
        Some(libc::EACCES | libc::EPERM) => "/proc may not be read here",
        _ => "/proc cannot be read",
    };
    io::Error::new(error.kind(), format!("{cause}: {error}"))
}

/// What the kernel says of a thread that is no more.
fn is_of_ended_thread(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::ESRCH)
}

fn resident_pages(statm: &File) -> io::Result<u64> {
    field_of(statm, 1)
}

/// A field of statm, the first of which is 0, in pages.
fn field_of(statm: &File, at: usize) -> io::Result<u64> {
    let mut buffer = [0_u8; 128];
    let length = statm.read_at(&mut buffer, 0)?;
    let mut fields = buffer[..length].split(|&byte| byte == b' ');
    fields
        .nth(at)
        .and_then(number)
        .ok_or_else(|| unexpected("/proc/self/statm"))
}

fn mark_in_status(status: &File) -> io::Result<u64> {
    let mut buffer = [0_u8; 4096];
    let length = status.read_at(&mut buffer, 0)?;
    let kibibytes = buffer[..length]
        .split(|&byte| byte == b'\n')
        .find_map(|line| line.strip_prefix(b"VmHWM:"))
        .and_then(|value| number(value.trim_ascii().strip_suffix(b" kB")?))
        .ok_or_else(|| unexpected("/proc/self/status"))?;
    Ok(kibibytes * 1024)
}

/// Claims the process's high-water mark: the file that resets it, locked.
///
/// A plugin may have brought a copy of memprof of its own into the process. If both reset the mark, each would miss
/// the peaks that the other one has taken. The lock (flock(2)) is the place where copies meet that know nothing of
/// each other: the kernel has one inode of this file for a process, as long as somebody has it open. A child
/// process has a file of its own, and `exec` closes ours.
fn claim_mark() -> io::Result<File> {
    let file = open_mark("/proc/self/clear_refs")?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(io::ErrorKind::ResourceBusy.into()),
        // Where there are no locks on such files, no copy can be told from another.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(file),
    }
}

fn open_mark(path: &str) -> io::Result<File> {
    OpenOptions::new().write(true).open(path)
}

/// `getrusage(RUSAGE_SELF)`: see getrusage(2). `ru_maxrss` is the larger of this program's
/// high-water mark and a figure from before `exec` (kernel: `setmax_mm_hiwater_rss`).
pub(crate) fn counts() -> Option<ProcessCounts> {
    let usage = usage_of(libc::RUSAGE_SELF)?;
    Some(ProcessCounts {
        faults: faults(&usage),
        max_rss: usage.ru_maxrss as u64 * 1024,
    })
}

/// Page faults of the calling thread: `RUSAGE_THREAD`.
pub(crate) fn thread_faults() -> Option<u64> {
    usage_of(libc::RUSAGE_THREAD).as_ref().map(faults)
}

fn faults(usage: &libc::rusage) -> u64 {
    (usage.ru_minflt as u64).wrapping_add(usage.ru_majflt as u64)
}

fn usage_of(whom: libc::c_int) -> Option<libc::rusage> {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::uninit();
    // SAFETY: the pointer is valid for a write of one `rusage`.
    let answer = unsafe { libc::getrusage(whom, usage.as_mut_ptr()) };
    if answer != 0 {
        return None;
    }
    // SAFETY: on success the kernel has filled the whole structure.
    Some(unsafe { usage.assume_init() })
}

/// See [`super::touch_a_page`].
pub(crate) fn touch_a_page() {
    let size = page_size() as usize;
    let Some(page) = map(size) else { return };
    // SAFETY: the page is mapped, writable and nobody else's.
    unsafe { page.cast::<u8>().write_volatile(1) };
    unmap(page, size);
}

/// See [`super::can_be_had`]. Asks with a mapping and not with the program's allocator, whose habits change with what
/// is given back to it.
#[cfg(feature = "report")]
pub(crate) fn can_be_mapped(bytes: usize) -> bool {
    let mapping = map(bytes);
    if let Some(mapping) = mapping {
        unmap(mapping, bytes);
    }
    mapping.is_some()
}

/// A new mapping without pages, which can be read and written.
fn map(bytes: usize) -> Option<*mut libc::c_void> {
    map_as(bytes, libc::PROT_READ | libc::PROT_WRITE, 0)
}

/// A new mapping without pages.
pub(super) fn map_as(
    bytes: usize,
    access: libc::c_int,
    more: libc::c_int,
) -> Option<*mut libc::c_void> {
    let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | more;
    // SAFETY: a new anonymous mapping at an address of the kernel's choice disturbs nothing.
    let mapping = unsafe { libc::mmap(std::ptr::null_mut(), bytes, access, kind, -1, 0) };
    (mapping != libc::MAP_FAILED).then_some(mapping)
}

/// Ends a mapping of so many bytes that [`map`] or [`map_as`] gave.
pub(super) fn unmap(mapping: *mut libc::c_void, bytes: usize) {
    // SAFETY: mapped by `map_as`, and nothing refers to it any more.
    unsafe { libc::munmap(mapping, bytes) };
}

/// Reserves addresses, and no memory. `None` where the process may not have many.
pub(crate) fn reserve(bytes: usize) -> Option<*mut u8> {
    if address_space().is_some_and(|most| most / 16 < bytes as u64) {
        return None;
    }
    let begin = map_as(bytes, libc::PROT_NONE, libc::MAP_NORESERVE)?;
    // A page that the kernel makes part of a huge one would become resident unasked. Kernels without huge pages refuse.
    // SAFETY: advice about the mapping that was just made.
    unsafe { libc::madvise(begin, bytes, libc::MADV_NOHUGEPAGE) };
    Some(begin.cast())
}

/// The limit on the address space, if there is one (getrlimit(2)).
pub(crate) fn address_space() -> Option<u64> {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: the pointer is valid for a write of one `rlimit`.
    let answer = unsafe { libc::getrlimit(libc::RLIMIT_AS, &raw mut limit) };
    (answer == 0 && limit.rlim_cur != libc::RLIM_INFINITY).then_some(limit.rlim_cur)
}

/// Lets reserved pages be read and written. `false` if the system refuses.
///
/// # Safety
/// The pages are part of what [`reserve`] or [`map_as`] gave.
pub(crate) unsafe fn make_usable(begin: *mut u8, bytes: usize) -> bool {
    // SAFETY: the caller says that the pages are ours.
    unsafe { libc::mprotect(begin.cast(), bytes, libc::PROT_READ | libc::PROT_WRITE) == 0 }
}

/// Makes pages resident.
///
/// # Safety
/// They are usable, and nobody else's.
pub(crate) unsafe fn touch(begin: *mut u8, bytes: usize) {
    for at in (0..bytes).step_by(page_size() as usize) {
        // SAFETY: inside of the pages, which nobody else has.
        unsafe { begin.wrapping_add(at).write_volatile(0) };
    }
}

/// Gives pages back to the system. They stay usable. `false` if the system refuses.
///
/// # Safety
/// They are ours, and what is in them is not needed.
pub(crate) unsafe fn give_back(begin: *mut u8, bytes: usize) -> bool {
    // SAFETY: the caller says that nobody needs what is in the pages.
    unsafe { libc::madvise(begin.cast(), bytes, libc::MADV_DONTNEED) == 0 }
}

fn page_size() -> u64 {
    configured(libc::_SC_PAGESIZE).unwrap_or(4096)
}

/// Whether transparent huge pages are on for all memory: `[always] madvise never`.
pub(crate) fn gives_huge_pages() -> bool {
    let modes = std::fs::read_to_string("/sys/kernel/mm/transparent_hugepage/enabled");
    modes.is_ok_and(|modes| modes.contains("[always]"))
}

pub(crate) fn processors() -> u64 {
    configured(libc::_SC_NPROCESSORS_ONLN).unwrap_or(1)
}

/// See sysconf(3).
fn configured(name: libc::c_int) -> Option<u64> {
    // SAFETY: sysconf only reads its argument.
    let value = unsafe { libc::sysconf(name) };
    u64::try_from(value).ok().filter(|&value| value > 0)
}

fn number(digits: &[u8]) -> Option<u64> {
    str::from_utf8(digits).ok()?.parse().ok()
}

fn unexpected(file: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("{file} does not have the documented form"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::own_process::alone;

    #[test]
    fn procfs_the_mark_is_reset_by_one_alone() {
        alone(|| {
            let [mut first, mut second] = [(); 2].map(|()| Procfs::open().unwrap());
            first.reset_high_water().unwrap();
            let refused = second.reset_high_water().unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::ResourceBusy);
            first.reset_high_water().unwrap();
            drop(first);
            second.reset_high_water().unwrap();
        });
    }

    #[test]
    fn procfs_what_stands_in_the_way_is_told() {
        alone(|| {
            let files = |most| {
                let limit = libc::rlimit {
                    rlim_cur: most,
                    rlim_max: 1_024,
                };
                // SAFETY: the pointer is valid for a read of one `rlimit`.
                assert_eq!(0, unsafe {
                    libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit)
                });
            };
            files(0);
            let refused = crate::os::Os::open(None).map(|_| ());
            files(1_024);
            let told = refused.unwrap_err().to_string();
            assert!(
                told.starts_with("no more files may be opened (`ulimit -n`): "),
                "{told}"
            );
        });
        let missing = explained(&io::Error::from_raw_os_error(libc::ENOENT)).to_string();
        assert!(missing.starts_with("/proc is not mounted: "), "{missing}");
    }

    #[cfg(feature = "report")]
    #[test]
    fn procfs_can_map_what_there_is_and_nothing_more() {
        assert!(can_be_mapped(1 << 20));
        assert!(!can_be_mapped(1 << 60));
    }

    #[test]
    fn procfs_readings_are_plausible_and_agree() {
        let mut procfs = Procfs::open().unwrap();
        let rss = procfs.rss().unwrap();
        let high = procfs.high_water().unwrap();
        assert!(rss > 256 << 10 && rss < 1 << 40, "{rss}");
        assert!(high >= rss - (1 << 20), "{high} {rss}");
        assert!(counts().unwrap().faults > 10);
    }
}
