//! What the system tells of processes: when one started, who started it, and which start of the machine it is.

/// When the process `pid` started, in clock ticks since the machine did.
pub fn start_of(pid: u32) -> Option<String> {
    stat_of(pid, 19)
}

/// Which process has started the process `pid`.
pub fn parent_of(pid: u32) -> Option<u32> {
    stat_of(pid, 1)?.parse().ok()
}

/// One of the fields after the name of the process `pid`; the state is number 0 (proc_pid_stat(5)).
pub fn stat_of(pid: u32, field: usize) -> Option<String> {
    let stat = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
    // The name before it may hold anything, a parenthesis too.
    let after_name = stat.rsplit(|&byte| byte == b')').next()?;
    let mut fields = after_name.trim_ascii().split(|&byte| byte == b' ');
    Some(String::from_utf8_lossy(fields.nth(field)?).into_owned())
}

/// Tells apart machines, and one machine before and after a restart.
pub(super) fn boot() -> String {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    id.trim().to_owned()
}
