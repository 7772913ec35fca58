//! The machine that everything was measured on, and when.

use std::process::Command;

/// Processors, memory, kernel, compiler.
pub(crate) fn describe() -> String {
    let kernel = read("/proc/sys/kernel/osrelease");
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let model = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".to_owned());
    let memory = field("/proc/meminfo", "MemTotal")
        .and_then(|text| text.split(' ').next()?.parse::<u64>().ok())
        .map_or_else(String::new, |kib| format!(", {} GiB", kib >> 20));
    let virtual_machine = match read("/proc/cpuinfo").contains("hypervisor") {
        true => " of a virtual machine",
        false => "",
    };
    format!(
        "{processors} processors{virtual_machine} ({model}){memory}, Linux {}, {}",
        kernel.trim(),
        first_line(Command::new("rustc").arg("--version")).unwrap_or_default()
    )
}

/// Of the last minute.
pub(crate) fn load() -> String {
    let text = read("/proc/loadavg");
    text.split(' ').next().unwrap_or("unknown").to_owned()
}

/// The date where this machine is.
pub(crate) fn today() -> String {
    first_line(Command::new("date").arg("+%Y-%m-%d")).unwrap_or_else(|| "an unknown day".to_owned())
}

/// The first line that a command prints; `None` where it cannot be run.
pub(crate) fn first_line(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|it| it.status.success())?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().next().map(|line| line.trim().to_owned())
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

/// The value of `name : value` or `name: value`.
fn field(path: &str, name: &str) -> Option<String> {
    let text = read(path);
    let mut lines = text.lines();
    lines.find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim().to_owned())
    })
}
