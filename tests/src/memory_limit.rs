//! A limit on a program's memory that the kernel enforces by killing it.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// How many groups this process has made.
static GROUPS: AtomicU32 = AtomicU32::new(0);

/// A control group with a limit, removed when dropped.
#[derive(Debug)]
pub struct Group(PathBuf);

impl Group {
    /// A new group that may use `bytes`; `None` where this process may not make one.
    #[must_use]
    pub fn with_limit(bytes: u64) -> Option<Group> {
        let membership = std::fs::read_to_string("/proc/self/cgroup").ok()?;
        let below = |base: &str, path: &str, limit: &str| {
            let parent = Path::new(base).join(path.trim_start_matches('/'));
            let number = GROUPS.fetch_add(1, Ordering::Relaxed);
            let folder = parent.join(format!("memprof-test-{}-{number}", std::process::id()));
            std::fs::create_dir(&folder).ok()?;
            let group = Group(folder);
            std::fs::write(group.0.join(limit), bytes.to_string()).ok()?;
            Some(group)
        };
        membership.lines().find_map(|line| {
            let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
            match controllers {
                "memory" => below("/sys/fs/cgroup/memory", path, "memory.limit_in_bytes"),
                "" => below("/sys/fs/cgroup", path, "memory.max"),
                _ => None,
            }
        })
    }

    /// Has `command` run in the group.
    pub fn confine(&self, command: &mut Command) {
        let processes = self.0.join("cgroup.procs");
        // SAFETY: between fork and exec this opens a file and writes to it; what it allocates, the
        // child of this test program can.
        unsafe { command.pre_exec(move || std::fs::write(&processes, "0")) };
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // It may take the kernel a moment to let go of the program that was in it.
        for _ in 0..100 {
            if std::fs::remove_dir(&self.0).is_ok() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }
}

/// Limits the address space of `command`: a program that wants more aborts.
pub fn limit_address_space(command: &mut Command, bytes: u64) {
    limit(command, libc::RLIMIT_AS, bytes);
}

/// Limits the size of files that `command` writes: a write beyond raises SIGXFSZ.
pub fn limit_file_size(command: &mut Command, bytes: u64) {
    limit(command, libc::RLIMIT_FSIZE, bytes);
}

fn limit(command: &mut Command, resource: libc::__rlimit_resource_t, bytes: u64) {
    let limit = libc::rlimit {
        rlim_cur: bytes,
        rlim_max: bytes,
    };
    let set = move || {
        // SAFETY: setrlimit reads one `rlimit`.
        match unsafe { libc::setrlimit(resource, &raw const limit) } {
            0 => Ok(()),
            _ => Err(std::io::Error::last_os_error()),
        }
    };
    // SAFETY: between fork and exec this makes one system call.
    unsafe { command.pre_exec(set) };
}
