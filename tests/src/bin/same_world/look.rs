//! What a program sees of its own process.

use std::ffi::CStr;
use std::fs;
use std::ptr;

/// Says all of it.
pub(crate) fn around(when: &str) {
    println!("-- {when}");
    descriptors();
    status();
    limits();
    process();
    thread();
    surroundings();
}

/// Every open number, what it leads to, and its flags.
pub(crate) fn descriptors() {
    for number in 0..4_096 {
        let closed_by_exec = call!(libc::fcntl(number, libc::F_GETFD));
        if closed_by_exec >= 0 {
            let flags = call!(libc::fcntl(number, libc::F_GETFL));
            println!("fd {number} {} {closed_by_exec} {flags:#o}", target(number));
        }
    }
}

/// Without the numbers of pipes, of terminals and of processes, which no two runs share.
fn target(number: i32) -> String {
    let Ok(path) = fs::read_link(format!("/proc/self/fd/{number}")) else {
        return "?".to_owned();
    };
    let path = path.to_string_lossy().replace(' ', "_");
    let of_process = path
        .strip_prefix("/proc/")
        .and_then(|rest| rest.split_once('/'));
    if let Some((process, file)) = of_process
        && process.parse::<u32>().is_ok()
    {
        return format!("/proc/self/{file}");
    }
    if path.starts_with("/dev/pts/") {
        return "/dev/pts".to_owned();
    }
    let end = path.find(":[").unwrap_or(path.len());
    path[..end].to_owned()
}

/// Users, masks, capabilities and filters, as the kernel says them.
fn status() {
    const FIELDS: [&str; 20] = [
        "Name",
        "Umask",
        "TracerPid",
        "Uid",
        "Gid",
        "Groups",
        "SigPnd",
        "ShdPnd",
        "SigBlk",
        "SigIgn",
        "SigCgt",
        "CapInh",
        "CapPrm",
        "CapEff",
        "CapBnd",
        "CapAmb",
        "NoNewPrivs",
        "Seccomp",
        "Seccomp_filters",
        "Cpus_allowed",
    ];
    let Ok(status) = fs::read_to_string("/proc/thread-self/status") else {
        println!("no procfs");
        return;
    };
    for line in status.lines() {
        let (field, value) = line.split_once(':').unwrap_or_default();
        let value = value.trim().replace('\t', " ");
        if field.starts_with("Sig") && FIELDS.contains(&field) {
            println!("{field}: {:016x}", signals(&value));
        } else if FIELDS.contains(&field) {
            println!("{field}: {value}");
        }
    }
}

/// Without the two that glibc keeps to itself: it handles them from the first thread on that anybody starts, and no
/// program can ask for them.
fn signals(set: &str) -> u64 {
    const OF_THE_C_LIBRARY: u64 = 1 << (32 - 1) | 1 << (33 - 1);
    u64::from_str_radix(set, 16).expect("a set") & !OF_THE_C_LIBRARY
}

fn limits() {
    for resource in 0..16 {
        let mut limit = libc::rlimit {
            rlim_cur: 0,
            rlim_max: 0,
        };
        call!(libc::getrlimit(resource, &raw mut limit));
        println!("limit {resource}: {} {}", limit.rlim_cur, limit.rlim_max);
    }
}

/// What the process has as a whole.
fn process() {
    let own = call!(libc::getpid());
    println!("leads its group: {}", call!(libc::getpgrp()) == own);
    println!("leads its session: {}", call!(libc::getsid(0)) == own);
    println!("umask {:#o}", umask());
    println!("nice {}", call!(libc::getpriority(libc::PRIO_PROCESS, 0)));
    println!("personality {:#x}", call!(libc::personality(0xffff_ffff)));
    println!("dumpable {}", call!(libc::prctl(libc::PR_GET_DUMPABLE)));
    let mut subreaper = 0;
    call!(libc::prctl(
        libc::PR_GET_CHILD_SUBREAPER,
        &raw mut subreaper
    ));
    println!("subreaper {subreaper}");
    for timer in [libc::ITIMER_REAL, libc::ITIMER_VIRTUAL, libc::ITIMER_PROF] {
        let mut value = libc::itimerval {
            it_interval: libc::timeval {
                tv_sec: 0,
                tv_usec: 0,
            },
            it_value: libc::timeval {
                tv_sec: 0,
                tv_usec: 0,
            },
        };
        call!(libc::getitimer(timer, &raw mut value));
        println!("timer {timer}: {}", value.it_interval.tv_usec);
    }
    let child = call!(libc::waitpid(
        -1,
        ptr::null_mut(),
        libc::WNOHANG | libc::__WALL
    ));
    crate::say::said("children", child);
}

pub(crate) fn umask() -> libc::mode_t {
    let mask = call!(libc::umask(0));
    call!(libc::umask(mask));
    mask
}

/// What the calling thread has.
fn thread() {
    println!(
        "timer slack {}",
        call!(libc::prctl(libc::PR_GET_TIMERSLACK))
    );
    println!(
        "no new privileges {}",
        call!(libc::prctl(libc::PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0))
    );
    println!(
        "keeps capabilities {}",
        call!(libc::prctl(libc::PR_GET_KEEPCAPS))
    );
    println!(
        "secure bits {}",
        call!(libc::prctl(libc::PR_GET_SECUREBITS))
    );
    let mut signal = 0;
    call!(libc::prctl(libc::PR_GET_PDEATHSIG, &raw mut signal));
    println!("signal of the parent's death {signal}");
    println!("scheduler {}", call!(libc::sched_getscheduler(0)));
    println!(
        "priority of i/o {}",
        call!(libc::syscall(libc::SYS_ioprio_get, 1, 0))
    );
    let mut stack = libc::stack_t {
        ss_sp: ptr::null_mut(),
        ss_flags: 0,
        ss_size: 0,
    };
    call!(libc::sigaltstack(ptr::null(), &raw mut stack));
    println!("stack of signals {} {}", stack.ss_flags, stack.ss_size);
    let state = crate::threads::cancellation();
    println!("cancellation {state:?}");
}

fn surroundings() {
    let path = |path: std::io::Result<std::path::PathBuf>| match path {
        Ok(path) => path.display().to_string(),
        Err(error) => format!("error {:?}", error.raw_os_error()),
    };
    println!("cwd {}", path(std::env::current_dir()));
    println!("root {}", path(fs::read_link("/proc/self/root")));
    let locale = call!(libc::setlocale(libc::LC_ALL, ptr::null()));
    let locale = call!(CStr::from_ptr(locale));
    println!("locale {}", locale.to_string_lossy());
    let mut names: Vec<_> = std::env::vars_os().collect();
    names.retain(|(name, _)| !name.to_string_lossy().starts_with("MEMPROF"));
    names.sort();
    println!("environment {names:?}");
}
