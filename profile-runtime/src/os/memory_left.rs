//! How much memory is left before the process meets a limit: of its control groups, of its address space, of the
//! machine, and of what the machine may promise where it counts promises strictly (`vm.overcommit_memory=2`).
//!
//! See cgroups(7): `memory.max` and `memory.current` in version 2, `memory.limit_in_bytes` and
//! `memory.usage_in_bytes` in version 1. Pages of files can be given back, so they do not count as used.

use std::fs;
use std::path::{Path, PathBuf};

use super::procfs;

/// How many bytes are left of a limit.
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
    /// Whether the machine counts promised memory strictly, used or not.
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
    /// Finds out which limits hold.
    pub(crate) fn find() -> MemoryLimits {
        let membership = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let mut limits = MemoryLimits {
            groups: groups(Path::new("/sys/fs/cgroup"), &membership),
            machine: field(&read("/proc/meminfo"), "MemTotal:").map(kib),
            address_space: procfs::address_space(),
            strict: read("/proc/sys/vm/overcommit_memory").trim() == "2",
        };
        // The limit of a group that may hold more than the machine has is never reached.
        let machine = limits.machine.unwrap_or(u64::MAX);
        limits.groups.retain(|group| group.limit < machine);
        limits
    }

    /// The limit of which least is left; one of which little is left comes before all others.
    pub(crate) fn left(&self) -> Option<Left> {
        let groups = self.groups.iter().filter_map(Group::left);
        let machine = self.machine.and_then(machine_left);
        let space = self.address_space.and_then(space_left);
        let promised = self.strict.then(promised_left).flatten();
        nearest(groups.chain(machine).chain(space).chain(promised))
    }
}

impl Left {
    /// Whether so little is left that it may be used up before anything more is written: less than a twentieth of the
    /// limit, but at least 16 MiB and at most 256 MiB.
    pub(crate) fn is_short(self) -> bool {
        self.left < (self.limit / 20).clamp(16 << 20, 256 << 20)
    }
}

fn nearest(limits: impl Iterator<Item = Left>) -> Option<Left> {
    limits.min_by_key(|left| (!left.is_short(), left.left))
}

impl Group {
    fn left(&self) -> Option<Left> {
        let usage: u64 = fs::read_to_string(&self.usage).ok()?.trim().parse().ok()?;
        let unused = Left {
            left: self.limit.saturating_sub(usage),
            limit: self.limit,
        };
        // The pages of files are asked for only when they matter: that costs ten times as much.
        if !unused.is_short() {
            return Some(unused);
        }
        let stat = read(&self.stat);
        let files = ["inactive_file", "active_file"].map(|name| {
            // In version 1 only the `total_` fields include subgroups.
            field(&stat, &format!("total_{name}")).or_else(|| field(&stat, name))
        });
        let files: u64 = files.into_iter().flatten().sum();
        Some(Left {
            left: unused.left.saturating_add(files),
            ..unused
        })
    }
}

/// The control groups with a limit, among those of the process and those above them. `membership` is the text of
/// `/proc/self/cgroup`; `mount` is the folder that holds the groups.
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
        // In a container the path may be one of the host; then the mount itself is the group.
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

/// What the machine may still promise.
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
    fn memory_left_in_version_2_with_a_limit_on_the_group_above() {
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
    fn memory_left_in_version_1_with_a_path_that_is_not_there() {
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
    fn memory_left_is_short_below_a_twentieth_or_16_mib() {
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
    fn memory_left_a_large_limit_nearly_used_up_comes_before_a_small_one_half_used() {
        let (small, large) = (
            Left {
                left: 50 << 20,
                limit: 100 << 20,
            },
            Left {
                left: 200 << 20,
                limit: 10 << 30,
            },
        );
        assert_eq!(nearest([small, large].into_iter()), Some(large));
    }

    #[test]
    fn memory_left_is_known_on_this_machine() {
        let left = MemoryLimits::find().left().unwrap();
        assert!(
            left.limit > 1 << 20 && left.left <= left.limit.saturating_mul(64),
            "{left:?}"
        );
    }
}
