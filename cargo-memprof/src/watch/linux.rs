//! Linux: memory and descendants of other processes, from `/proc`.
//!
//! The files are described in proc_pid_statm(5), proc_pid_status(5), proc_pid_smaps(5) and
//! proc_pid_stat(5).

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;

use memprof_model::run::Measure;
use memprof_report::internal::process::{parent_of, stat_of};

use super::listed::Listed;

/// A process's memory, to be read again and again.
#[derive(Debug)]
pub(crate) struct Memory {
    pid: u32,
    measure: Measure,
    thread: Thread,
    page_size: u64,
}

/// The thread that is asked for the memory of its process: the main thread as long as it is there. One that has ended
/// while others go on (`pthread_exit` in `main`) is a zombie without memory.
#[derive(Debug)]
struct Thread {
    number: u32,
    /// Kept open: a reading costs a fifth of what it costs with opening and closing, and never is
    /// that of another process which got the same number.
    statm: File,
    status: File,
}

impl Thread {
    fn open(number: u32) -> io::Result<Thread> {
        Ok(Thread {
            number,
            statm: File::open(format!("/proc/{number}/statm"))?,
            status: File::open(format!("/proc/{number}/status"))?,
        })
    }

    /// Pages that are resident, the second field of statm; 0 of one that is dead but still listed.
    fn resident_pages(&self) -> io::Result<u64> {
        let mut buffer = [0_u8; 128];
        let length = self.statm.read_at(&mut buffer, 0)?;
        let mut fields = buffer[..length].split(|&byte| byte == b' ');
        Ok(fields.nth(1).and_then(number).unwrap_or(0))
    }

    /// One of the process `pid` that has its memory.
    fn alive(pid: u32) -> Option<Thread> {
        let threads = fs::read_dir(format!("/proc/{pid}/task")).ok()?;
        let numbers = threads.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        let mut threads = numbers.filter_map(|number| Thread::open(number).ok());
        threads.find(|thread| thread.resident_pages().is_ok_and(|pages| pages > 0))
    }
}

impl Memory {
    /// # Errors
    /// When there is no such process.
    pub(crate) fn open(pid: u32, measure: Measure) -> io::Result<Memory> {
        // SAFETY: sysconf only reads its argument.
        let page_size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
        Ok(Memory {
            pid,
            measure,
            thread: Thread::open(pid)?,
            page_size: u64::try_from(page_size).unwrap_or(4096),
        })
    }

    /// How it is read, as `run.json` names it.
    pub(crate) fn backend(measure: Measure) -> &'static str {
        match measure {
            Measure::Pss | Measure::Uss => "smaps_rollup",
            _ => "statm",
        }
    }

    /// Bytes; `None` when the process has ended.
    ///
    /// # Errors
    /// When the kernel refuses: PSS and USS of other people's processes are private.
    pub(crate) fn read(&mut self) -> io::Result<Option<u64>> {
        let Some(resident) = self.resident()? else {
            return Ok(None);
        };
        match self.measure {
            Measure::Pss => self.rolled_up(&["Pss:"]),
            Measure::Uss => {
                self.rolled_up(&["Private_Clean:", "Private_Dirty:", "Private_Hugetlb:"])
            }
            _ => Ok(Some(resident)),
        }
    }

    /// What is resident, in bytes. A process that is dead but still listed has none.
    fn resident(&mut self) -> io::Result<Option<u64>> {
        let mut pages = match self.thread.resident_pages() {
            Ok(pages) => pages,
            // The thread alone may have ended.
            Err(error) => gone(error)?.unwrap_or(0),
        };
        if pages == 0 {
            let Some(thread) = Thread::alive(self.pid) else {
                return Ok(None);
            };
            self.thread = thread;
            pages = self.thread.resident_pages().unwrap_or(0);
        }
        Ok((pages > 0).then_some(pages * self.page_size))
    }

    /// The sum of `fields` of smaps_rollup. It is opened anew each time: it is bound to the program
    /// that the process ran when it was opened.
    fn rolled_up(&self, fields: &[&str]) -> io::Result<Option<u64>> {
        let mut text = String::new();
        let read = File::open(format!("/proc/{}/smaps_rollup", self.thread.number))
            .and_then(|mut file| file.read_to_string(&mut text));
        if let Err(error) = read {
            return gone(error);
        }
        let kib = text.lines().filter_map(|line| {
            let mut words = line.split_ascii_whitespace();
            fields
                .contains(&words.next()?)
                .then(|| words.next()?.parse::<u64>().ok())?
        });
        Ok(Some(kib.sum::<u64>() * 1024))
    }

    /// The kernel's high-water mark of RSS in bytes; `None` when the process has ended.
    pub(crate) fn high_water(&self) -> Option<u64> {
        let mut buffer = [0_u8; 4096];
        let length = self.thread.status.read_at(&mut buffer, 0).ok()?;
        let kib = buffer[..length]
            .split(|&byte| byte == b'\n')
            .find_map(|line| line.strip_prefix(b"VmHWM:"))
            .and_then(|value| number(value.trim_ascii().strip_suffix(b" kB")?))?;
        Some(kib * 1024)
    }
}

/// Why the process `pid` has no memory to be read, if it has none although there is such a process.
pub(crate) fn why_without_memory(pid: u32) -> Option<&'static str> {
    /// `PF_KTHREAD` of the kernel's `sched.h`, in the ninth field of proc_pid_stat(5).
    const OF_THE_KERNEL: u64 = 0x0020_0000;
    let flags: u64 = stat_of(pid, 6)?.parse().ok()?;
    if flags & OF_THE_KERNEL != 0 {
        return Some("it is a thread of the kernel, which has no memory of its own");
    }
    let is_dead = ["Z", "X"].contains(&stat_of(pid, 0)?.as_str());
    (is_dead && Thread::alive(pid).is_none())
        .then_some("it has ended, and its parent has not taken note of that yet (a zombie)")
}

/// Whether the process `pid` runs in the memory of its parent: between `vfork` and `exec` it does, and a sum must not
/// have that memory twice.
///
/// kcmp(2) knows. Where that may not be asked (another user's processes, a sandbox), the two have one memory if all
/// seven figures of statm agree: those of a copy do not, because `fork` leaves out what files hold.
pub(crate) fn has_memory_of(pid: u32, parent: u32) -> bool {
    /// `KCMP_VM` of the kernel's `kcmp.h`.
    const OF_MEMORY: libc::c_long = 1;
    let numbers = [pid, parent].map(libc::c_long::from);
    // SAFETY: with this request, kcmp looks at nothing but its arguments.
    let answer = unsafe { libc::syscall(libc::SYS_kcmp, numbers[0], numbers[1], OF_MEMORY, 0, 0) };
    if answer >= 0 {
        return answer == 0;
    }
    let figures = |pid| fs::read(format!("/proc/{pid}/statm")).ok();
    figures(pid).is_some_and(|own| figures(parent) == Some(own))
}

/// `None` for a process that ended, otherwise the error.
fn gone(error: io::Error) -> io::Result<Option<u64>> {
    let ended =
        error.raw_os_error() == Some(libc::ESRCH) || error.kind() == io::ErrorKind::NotFound;
    if ended { Ok(None) } else { Err(error) }
}

fn number(digits: &[u8]) -> Option<u64> {
    str::from_utf8(digits).ok()?.parse().ok()
}

/// The processes of the machine, as far as descendants are concerned.
#[derive(Debug, Default)]
pub(crate) struct Processes {
    /// Those of the last look: who was no descendant will never become one.
    known: HashSet<u32>,
    /// Kept open; none where it cannot be read.
    loadavg: Option<File>,
    /// The number that was given out last, when it was asked for.
    newest: Option<u32>,
}

impl Processes {
    /// Whether a process may have begun since this was asked last. It costs a hundredth of a look: the
    /// kernel says which number it gave out last, to a process or a thread (proc_loadavg(5)).
    pub(crate) fn may_be_more(&mut self) -> bool {
        if self.loadavg.is_none() {
            self.loadavg = File::open("/proc/loadavg").ok();
        }
        let newest = self.loadavg.as_ref().and_then(last_number);
        let before = std::mem::replace(&mut self.newest, newest);
        newest.is_none() || newest != before
    }

    /// Processes that were not there at the last look, with their parents. Listing `/proc` is cheap; only
    /// what is new is read.
    pub(crate) fn new_ones(&mut self) -> Vec<(u32, u32)> {
        let Ok(entries) = fs::read_dir("/proc") else {
            return Vec::new();
        };
        let pids: HashSet<u32> = entries
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .collect();
        let new = pids.difference(&self.known);
        let found = new
            .filter_map(|&pid| Some((pid, parent_of(pid)?)))
            .collect();
        self.known = pids;
        found
    }

    /// The name of a process's program.
    pub(crate) fn name(pid: u32) -> Option<String> {
        Some(String::from_utf8_lossy(&name(pid)?).into_owned())
    }

    /// Every process.
    pub(crate) fn all() -> Vec<Listed> {
        let entries = fs::read_dir("/proc").into_iter().flatten();
        let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        let listed = pids.filter_map(|pid| {
            Some(Listed {
                pid,
                name: name(pid)?,
                command: Self::command(pid),
            })
        });
        listed.collect()
    }

    /// The command line; empty for a process of the kernel, or one that has ended.
    pub(crate) fn command(pid: u32) -> Vec<String> {
        let text = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let text = text.strip_suffix(&[0]).unwrap_or(&text);
        if text.is_empty() {
            return Vec::new();
        }
        let words = text.split(|&byte| byte == 0);
        words
            .map(|word| String::from_utf8_lossy(word).into_owned())
            .collect()
    }
}

/// The last field of loadavg. A system that only looks like Linux may not count, and say 0.
fn last_number(loadavg: &File) -> Option<u32> {
    let mut buffer = [0_u8; 128];
    let length = loadavg.read_at(&mut buffer, 0).ok()?;
    let mut fields = buffer[..length]
        .trim_ascii_end()
        .rsplit(|&byte| byte == b' ');
    str::from_utf8(fields.next()?)
        .ok()?
        .parse()
        .ok()
        .filter(|&number| number > 0)
}

/// The name of a process, of whatever bytes it has.
fn name(pid: u32) -> Option<Vec<u8>> {
    let mut name = fs::read(format!("/proc/{pid}/comm")).ok()?;
    name.truncate(name.strip_suffix(b"\n").unwrap_or(&name).len());
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_this_process_touches() {
        let touched = vec![1_u8; 32 << 20];
        for measure in [Measure::Rss, Measure::Pss, Measure::Uss] {
            let mut memory = Memory::open(std::process::id(), measure).unwrap();
            let bytes = memory.read().unwrap().unwrap();
            assert!(bytes > 32 << 20 && bytes < 1 << 40, "{measure:?}: {bytes}");
        }
        let memory = Memory::open(std::process::id(), Measure::Rss).unwrap();
        assert!(memory.high_water().unwrap() > 32 << 20);
        drop(touched);
    }

    #[test]
    fn a_child_is_new_once_and_gone_when_it_has_ended() {
        let mut processes = Processes::default();
        assert!(processes.may_be_more(), "nobody has looked yet");
        processes.new_ones();
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let mut memory = Memory::open(child.id(), Measure::Rss).unwrap();
        assert!(processes.may_be_more());
        assert!(
            processes
                .new_ones()
                .contains(&(child.id(), std::process::id()))
        );
        assert!(
            !processes
                .new_ones()
                .iter()
                .any(|(pid, _)| *pid == child.id())
        );
        // It comes back from exec before its command line is in place.
        while Processes::command(child.id()) != ["sleep", "60"] {
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(memory.read().unwrap(), None);
        assert!(Memory::open(child.id(), Measure::Rss).is_err());
    }
}
