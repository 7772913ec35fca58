//! What memprof's own threads need from the operating system.

use std::io;
use std::sync::mpsc;
use std::thread::{self, Thread};
use std::time::Duration;

use super::own_pages;

/// Starts a thread that gets no signals, and waits until the thread says that it is at work, so that the memory that
/// it needs to begin does not show up in the program's first lines. `stack_bytes`: `None` for the standard library's
/// size.
///
/// # Errors
/// When the system gives no thread.
pub(crate) fn start_and_wait(
    name: &str,
    stack_bytes: Option<usize>,
    work: impl FnOnce(&dyn Fn()) + Send + 'static,
) -> io::Result<Thread> {
    let (at_work, started) = mpsc::channel();
    let mut builder = thread::Builder::new().name(name.to_owned());
    if let Some(bytes) = stack_bytes {
        builder = builder.stack_size(bytes);
    }
    let handle = without_signals(|| {
        builder.spawn(move || {
            work(&|| {
                own_pages::own_thread_has_begun();
                // If this took too long, nobody waits any more.
                let _ = at_work.send(());
            });
        })
    })?;
    // On a machine so busy that this is not enough, the program's first lines get a little too much.
    let _ = started.recv_timeout(Duration::from_millis(200));
    Ok(handle.thread().clone())
}

/// Runs `spawn` with every signal blocked. A thread that it starts inherits the mask (pthread_sigmask(3)), and never
/// runs the program's signal handlers.
#[cfg(unix)]
fn without_signals<T>(spawn: impl FnOnce() -> T) -> T {
    let mut all = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
    let mut before = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: the pointer is valid for a write of one signal set.
    unsafe { libc::sigfillset(all.as_mut_ptr()) };
    // SAFETY: `all` has been filled, `before` is valid for a write.
    let blocked =
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr()) };
    let result = spawn();
    if blocked == 0 {
        // SAFETY: the successful call above has filled `before`.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), std::ptr::null_mut()) };
    }
    result
}

#[cfg(not(unix))]
fn without_signals<T>(spawn: impl FnOnce() -> T) -> T {
    spawn()
}

/// Gives the calling thread its own table of descriptors, an empty one, and its own root and working directory, which
/// stay as they are when the program changes its own.
///
/// Where the kernel does not allow that (`unshare` in some containers), the thread goes on with the program's.
#[cfg(feature = "report")]
pub(crate) fn leave_the_programs_files() {
    #[cfg(target_os = "linux")]
    {
        if has_empty_table() || has_emptied_table() {
            // Takes the numbers 0 to 2, so that what is written to stdout or stderr on this thread does not go into
            // a file of ours.
            for _ in 0..3 {
                if let Ok(null) = std::fs::File::options()
                    .read(true)
                    .write(true)
                    .open("/dev/null")
                {
                    std::mem::forget(null);
                }
            }
        }
        // SAFETY: unshare(2) with this flag only stops sharing root, working directory and umask.
        unsafe { libc::unshare(libc::CLONE_FS) };
    }
}

/// Gives the calling thread a new table without descriptors, where the kernel offers that (close_range(2), Linux 5.9).
#[cfg(all(feature = "report", target_os = "linux"))]
fn has_empty_table() -> bool {
    // SAFETY: with this flag the program's descriptors stay open in its own table, and this thread has opened none.
    let answer = unsafe {
        libc::syscall(
            libc::SYS_close_range,
            0 as libc::c_uint,
            libc::c_uint::MAX,
            libc::CLOSE_RANGE_UNSHARE,
        )
    };
    answer == 0
}

/// The same in two steps, for older kernels: a copy of the program's table, in which everything is closed.
#[cfg(all(feature = "report", target_os = "linux"))]
fn has_emptied_table() -> bool {
    // SAFETY: unshare(2) with this flag only stops sharing the table.
    if unsafe { libc::unshare(libc::CLONE_FILES) } != 0 {
        return false;
    }
    let Ok(open) = std::fs::read_dir("/proc/thread-self/fd") else {
        return true;
    };
    let number =
        |entry: io::Result<std::fs::DirEntry>| entry.ok()?.file_name().to_str()?.parse().ok();
    let numbers: Vec<libc::c_int> = open.filter_map(number).collect();
    for number in numbers {
        // SAFETY: the table is this thread's alone, and it uses none of what was in the program's.
        unsafe { libc::close(number) };
    }
    true
}

/// Asks the kernel to wake this thread within a microsecond of its deadline, not within the usual 50
/// (prctl(2), `PR_SET_TIMERSLACK`).
pub(crate) fn wake_precisely() {
    #[cfg(target_os = "linux")]
    // SAFETY: this option takes a number and changes the calling thread alone.
    unsafe {
        libc::prctl(libc::PR_SET_TIMERSLACK, 1_000 as libc::c_ulong);
    }
}

/// Processor time that this thread has used, in nanoseconds; 0 where it cannot be told.
pub(crate) fn cpu_ns() -> u64 {
    #[cfg(unix)]
    {
        let mut time = libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        // SAFETY: the pointer is valid for a write of one `timespec`.
        let answer = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
        if answer == 0 {
            return time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64;
        }
    }
    0
}
