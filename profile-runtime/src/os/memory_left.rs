//! How much memory is left before the system takes steps: of the process's control groups, of its
//! address space, of the machine, and of what the machine promises where it counts that strictly
//! (`vm.overcommit_memory=2`).
//!
//! See cgroups(7): `memory.max` and `memory.current` in version 2, `memory.limit_in_bytes` and
//! `memory.usage_in_bytes` in version 1. What a group holds of files can be given back, so it does not
//! count as used.

use std::fs;
use std::path::{Path, PathBuf};

/// What is left of a limit, bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Left {
    pub left: u64,
    pub limit: u64,
}

/// The limits that hold for this process, as far as they can be found out.
#[derive(Debug, Default)]
pub(crate) struct MemoryLimits {
    groups: Vec<Group>,
    /// The machine's memory.
    machine: Option<u64>,
    address_space: Option<u64>,
    /// Whether memory that is asked for counts, used or not, as long as the machine has it.
    strict: bool,
}

/// A control group with a limit.
#[derive(Debug)]
struct Group {
    limit: u64,
    usage: PathBuf,
    stat: PathBuf,
}

impl MemoryLimits {
    pub(crate) fn find() -> MemoryLimits {
        let membership = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let mut limits = MemoryLimits {
            groups: groups(Path::new("/sys/fs/cgroup"), &membership),
            machine: field(&read("/proc/meminfo"), "MemTotal:").map(kib),
            address_space: address_space(),
            strict: read("/proc/sys/vm/overcommit_memory").trim() == "2",
        };
        // A group that may hold more than the machine has is not what will run out.
        let machine = limits.machine.unwrap_or(u64::MAX);
        limits.groups.retain(|group| group.limit < machine);
        limits
    }

    /// The limit of which least is left.
    pub(crate) fn left(&self) -> Option<Left> {
        let groups = self.groups.iter().filter_map(Group::left);
        let machine = self.machine.and_then(machine_left);
        let space = self.address_space.and_then(space_left);
        let promised = self.strict.then(promised_left).flatten();
        groups
            .chain(machine)
            .chain(space)
            .chain(promised)
            .min_by_key(|left| left.left)
    }
}

impl Left {
    /// Whether so little is left that it may be used up before anything more is written: a twentieth of
    /// the limit, but no less than 16 MiB and no more than 256 MiB.
    pub(crate) fn is_short(self) -> bool {
        self.left < (self.limit / 20).clamp(16 << 20, 256 << 20)
    }
}

impl Group {
    fn left(&self) -> Option<Left> {
        let usage: u64 = fs::read_to_string(&self.usage).ok()?.trim().parse().ok()?;
        let unused = Left {
            left: self.limit.saturating_sub(usage),
            limit: self.limit,
        };
        // What is held of files is asked for only when it matters: that costs ten times as much.
        if !unused.is_short() {
            return Some(unused);
        }
        let stat = read(&self.stat);
        let files = ["inactive_file", "active_file"].map(|name| {
            // Version 1 counts subgroups only in the totals.
            field(&stat, &format!("total_{name}")).or_else(|| field(&stat, name))
        });
        let files: u64 = files.into_iter().flatten().sum();
        Some(Left {
            left: unused.left.saturating_add(files),
            ..unused
        })
    }
}

/// The groups with a limit among those named in `membership`, the text of `/proc/self/cgroup`, and
/// those above them; `mount` is where they are found.
fn groups(mount: &Path, membership: &str) -> Vec<Group> {
    let mut found = Vec::new();
    for line in membership.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else {
            continue;
        };
        let (base, limit, usage) = match controllers {
            "" => (mount.to_owned(), "memory.max", "memory.current"),
            _ if controllers.split(',').any(|name| name == "memory") => (
                mount.join("memory"),
                "memory.limit_in_bytes",
                "memory.usage_in_bytes",
            ),
            _ => continue,
        };
        // In a container the path may be one outside of it; then the mount itself is the group.
        for folder in Path::new(path.trim_start_matches('/')).ancestors() {
            let folder = base.join(folder);
            let limit = fs::read_to_string(folder.join(limit)).ok();
            if let Some(limit) = limit.and_then(|text| text.trim().parse().ok()) {
                found.push(Group {
                    limit,
                    usage: folder.join(usage),
                    stat: folder.join("memory.stat"),
                });
            }
        }
    }
    found
}

fn machine_left(limit: u64) -> Option<Left> {
    let text = read("/proc/meminfo");
    let left = kib(field(&text, "MemAvailable:")?);
    let swap = field(&text, "SwapFree:").map_or(0, kib);
    Some(Left {
        left: left.saturating_add(swap),
        limit,
    })
}

fn promised_left() -> Option<Left> {
    let text = read("/proc/meminfo");
    let limit = kib(field(&text, "CommitLimit:")?);
    let promised = kib(field(&text, "Committed_AS:")?);
    Some(Left {
        left: limit.saturating_sub(promised),
        limit,
    })
}

fn space_left(limit: u64) -> Option<Left> {
    let used = kib(field(&read("/proc/self/status"), "VmSize:")?);
    Some(Left {
        left: limit.saturating_sub(used),
        limit,
    })
}

/// The limit on the address space, if there is one (getrlimit(2)).
fn address_space() -> Option<u64> {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: the pointer is valid for a write of one `rlimit`.
    let answer = unsafe { libc::getrlimit(libc::RLIMIT_AS, &raw mut limit) };
    (answer == 0 && limit.rlim_cur != libc::RLIM_INFINITY).then_some(limit.rlim_cur)
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// The number behind `name` at the start of a line.
fn field(text: &str, name: &str) -> Option<u64> {
    let mut lines = text.lines().map(str::split_whitespace);
    lines.find_map(|mut words| (words.next()? == name).then(|| words.next()?.parse().ok())?)
}

fn kib(kibibytes: u64) -> u64 {
    kibibytes.saturating_mul(1024)
}

#[cfg(test)]
impl MemoryLimits {
    /// Of the one group that is described in `folder`, in the files of version 2.
    pub(crate) fn of_group(folder: &Path) -> MemoryLimits {
        MemoryLimits {
            groups: groups(folder, "0::/\n"),
            ..MemoryLimits::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(folder: &Path, files: &[(&str, &str)]) {
        fs::create_dir_all(folder).unwrap();
        for (name, text) in files {
            fs::write(folder.join(name), text).unwrap();
        }
    }

    #[test]
    fn version_2_with_a_limit_on_the_group_above() {
        let mount = tempfile::tempdir().unwrap();
        put(
            &mount.path().join("a/b"),
            &[("memory.max", "max\n"), ("memory.current", "1\n")],
        );
        put(
            &mount.path().join("a"),
            &[
                ("memory.max", "104857600\n"),
                ("memory.current", "100000000\n"),
                (
                    "memory.stat",
                    "anon 1\nactive_file 30000000\ninactive_file 10000000\n",
                ),
            ],
        );
        let groups = groups(mount.path(), "0::/a/b\n");
        assert_eq!(groups.len(), 1);
        let left = groups[0].left().unwrap();
        assert_eq!((left.limit, left.left), (100 << 20, 4_857_600 + 40_000_000));
        assert!(!left.is_short());
    }

    #[test]
    fn version_1_and_a_path_that_is_not_there() {
        let mount = tempfile::tempdir().unwrap();
        put(
            &mount.path().join("memory"),
            &[
                ("memory.limit_in_bytes", "67108864\n"),
                ("memory.usage_in_bytes", "66000000\n"),
                ("memory.stat", "inactive_file 5\ntotal_inactive_file 8\n"),
            ],
        );
        let groups = groups(mount.path(), "5:cpu:/\n4:hugetlb,memory:/docker/1\n");
        assert_eq!(groups.len(), 1);
        let left = groups[0].left().unwrap();
        assert_eq!(left.left, 67_108_864 - 66_000_000 + 8);
        assert!(left.is_short());
    }

    #[test]
    fn a_twentieth_of_the_limit_is_little_but_never_less_than_16_mib() {
        let left = |left: u64, limit: u64| Left { left, limit };
        assert!(left(15 << 20, 100 << 20).is_short());
        assert!(!left(17 << 20, 100 << 20).is_short());
        assert!(left(40 << 20, 1 << 30).is_short());
        assert!(
            !left(257 << 20, 1 << 40).is_short(),
            "never more than 256 MiB"
        );
    }

    #[test]
    fn this_machine_has_a_limit() {
        let left = MemoryLimits::find().left().unwrap();
        assert!(
            left.limit > 1 << 20 && left.left <= left.limit.saturating_mul(64),
            "{left:?}"
        );
    }
}
