//! Signals: blocked, waited for, handled, on a stack of their own, and in great number.

use std::fs::File;
use std::io::Write;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crate::say::{done, ended, said};
use crate::work::{touch, within, work};

pub(crate) const MODES: [crate::Mode; 7] = [
    ("signal-storm", storm),
    ("waits-for-signals", waits_for_signals),
    ("every-disposition", every_disposition),
    ("interrupted-calls", interrupted_calls),
    ("faults-on-an-own-stack", faults_on_an_own_stack),
    ("stopped-and-continued", stopped_and_continued),
    ("timers", timers),
];

static COUNTED: AtomicU64 = AtomicU64::new(0);

extern "C" fn on_signal(_: libc::c_int) {
    COUNTED.fetch_add(1, Relaxed);
    touch(1);
}

/// Counts this signal from now on.
pub(crate) fn count(signal: libc::c_int) {
    count_with(signal, 0);
}

fn count_with(signal: libc::c_int, flags: libc::c_int) {
    handle(signal, on_signal, flags);
}

fn handle(signal: libc::c_int, handler: extern "C" fn(libc::c_int), flags: libc::c_int) {
    let mut action: libc::sigaction = call!(std::mem::zeroed());
    action.sa_sigaction = handler as libc::sighandler_t;
    action.sa_flags = flags;
    said(
        "sigaction",
        call!(libc::sigaction(signal, &raw const action, ptr::null_mut())),
    );
}

pub(crate) fn counted() -> u64 {
    COUNTED.load(Relaxed)
}

pub(crate) fn set_of(signals: &[libc::c_int]) -> libc::sigset_t {
    let mut set: libc::sigset_t = call!(std::mem::zeroed());
    for &signal in signals {
        call!(libc::sigaddset(&raw mut set, signal));
    }
    set
}

fn every(timer: libc::c_int, microseconds: i64) {
    let interval = libc::timeval {
        tv_sec: 0,
        tv_usec: microseconds,
    };
    let value = libc::itimerval {
        it_interval: interval,
        it_value: interval,
    };
    said(
        "setitimer",
        call!(libc::setitimer(timer, &raw const value, ptr::null_mut())),
    );
}

/// One every 200 µs, while a file is written.
fn storm() {
    count(libc::SIGALRM);
    every(libc::ITIMER_REAL, 200);
    let mut file = File::create("written-meanwhile").expect("created");
    let until = Instant::now() + Duration::from_millis(300);
    let mut line = 0_u64;
    while Instant::now() < until || line < 10_000 {
        if line < 10_000 {
            within(|| writeln!(file, "line {line}")).expect("written");
        }
        line += 1;
        touch(line);
    }
    every(libc::ITIMER_REAL, 0);
    println!("many: {}", counted() > 50);
}

/// They are sent to the process: any thread that does not block them could take them.
fn waits_for_signals() {
    let first = libc::SIGRTMIN() + 3;
    let set = set_of(&[libc::SIGUSR1, first]);
    said(
        "sigmask",
        call!(libc::pthread_sigmask(
            libc::SIG_BLOCK,
            &raw const set,
            ptr::null_mut()
        )),
    );
    work();
    let own = call!(libc::getpid());
    for number in 0..100 {
        let value = libc::sigval {
            sival_ptr: ptr::without_provenance_mut(number),
        };
        within(|| call!(libc::sigqueue(own, first, value)));
    }
    within(|| call!(libc::kill(own, libc::SIGUSR1)));
    work();
    let mut queue = Vec::new();
    for _ in 0..101 {
        let mut info: libc::siginfo_t = call!(std::mem::zeroed());
        let signal = within(|| call!(libc::sigwaitinfo(&raw const set, &raw mut info)));
        let value = call!(info.si_value()).sival_ptr.addr();
        queue.push(if signal == first { value } else { 1_000 });
    }
    println!("{queue:?}");
}

/// Handlers, flags and masks of all signals, before and after.
fn every_disposition() {
    count_with(libc::SIGUSR1, libc::SA_RESTART | libc::SA_NODEFER);
    call!(libc::signal(libc::SIGCHLD, libc::SIG_IGN));
    call!(libc::signal(libc::SIGPIPE, libc::SIG_DFL));
    work();
    for signal in 1..=64 {
        let mut action: libc::sigaction = call!(std::mem::zeroed());
        let answer = call!(libc::sigaction(signal, ptr::null(), &raw mut action));
        let (default, ignored) = (
            action.sa_sigaction == libc::SIG_DFL,
            action.sa_sigaction == libc::SIG_IGN,
        );
        println!(
            "{signal}: {answer} {default} {ignored} {:#x}",
            action.sa_flags
        );
    }
    // A child whose signal is ignored leaves nothing to wait for.
    let child = call!(libc::fork());
    if child == 0 {
        call!(libc::_exit(0));
    }
    said(
        "waitpid",
        within(|| call!(libc::waitpid(child, ptr::null_mut(), 0))),
    );
}

/// A child sends the signal while its parent reads what never comes.
fn interrupted_calls() {
    count(libc::SIGUSR1);
    for flags in [0, libc::SA_RESTART] {
        count_with(libc::SIGUSR1, flags);
        let mut ends = [0; 2];
        call!(libc::pipe(ends.as_mut_ptr()));
        let parent = call!(libc::getpid());
        let child = call!(libc::fork());
        if child == 0 {
            std::thread::sleep(Duration::from_millis(100));
            call!(libc::kill(parent, libc::SIGUSR1));
            std::thread::sleep(Duration::from_millis(100));
            call!(libc::write(ends[1], b"x".as_ptr().cast(), 1));
            call!(libc::_exit(0));
        }
        let mut byte = [0_u8];
        said(
            "read",
            within(|| call!(libc::read(ends[0], byte.as_mut_ptr().cast(), 1))) as i64,
        );
        ended("child", child);
        println!("handled {}", counted());
        for end in ends {
            call!(libc::close(end));
        }
    }
    // errno is the thread's, and annotated calls in between leave it as it was.
    call!(*libc::__errno_location() = 4_242);
    for n in 0..10_000 {
        touch(n);
    }
    println!("errno {}", call!(*libc::__errno_location()));
}

static PAGE: AtomicPtr<libc::c_void> = AtomicPtr::new(ptr::null_mut());

extern "C" fn on_fault(_: libc::c_int) {
    COUNTED.fetch_add(1, Relaxed);
    touch(1);
    call!(libc::mprotect(
        PAGE.load(Relaxed),
        4_096,
        libc::PROT_READ | libc::PROT_WRITE
    ));
}

/// As garbage collectors do: a page is protected, and the handler opens it.
fn faults_on_an_own_stack() {
    let mut memory = vec![0_u8; 64 << 10];
    let stack = libc::stack_t {
        ss_sp: memory.as_mut_ptr().cast(),
        ss_flags: 0,
        ss_size: memory.len(),
    };
    said(
        "sigaltstack",
        call!(libc::sigaltstack(&raw const stack, ptr::null_mut())),
    );
    handle(libc::SIGSEGV, on_fault, libc::SA_ONSTACK);
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    let page = call!(libc::mmap(
        ptr::null_mut(),
        4_096,
        libc::PROT_READ,
        flags,
        -1,
        0
    ));
    PAGE.store(page, Relaxed);
    for _ in 0..50 {
        call!(libc::mprotect(page, 4_096, libc::PROT_READ));
        within(|| call!(page.cast::<u8>().write_volatile(1)));
    }
    println!("faults {}", counted());
    let none = libc::stack_t {
        ss_sp: ptr::null_mut(),
        ss_flags: libc::SS_DISABLE,
        ss_size: 0,
    };
    said(
        "sigaltstack",
        call!(libc::sigaltstack(&raw const none, ptr::null_mut())),
    );
}

/// A child with annotated calls of its own is stopped, and goes on.
fn stopped_and_continued() {
    let child = call!(libc::fork());
    if child == 0 {
        work();
        call!(libc::raise(libc::SIGSTOP));
        work();
        call!(libc::_exit(4));
    }
    let wait = |options| {
        let mut status = 0;
        let answer = within(|| call!(libc::waitpid(child, &raw mut status, options)));
        println!("{} {status:#x}", answer == child);
    };
    wait(libc::WUNTRACED);
    said("kill", call!(libc::kill(child, libc::SIGCONT)));
    wait(libc::WCONTINUED);
    wait(0);
}

/// Of all kinds, and a signal for each.
fn timers() {
    for (timer, signal) in [
        (libc::ITIMER_VIRTUAL, libc::SIGVTALRM),
        (libc::ITIMER_PROF, libc::SIGPROF),
    ] {
        count(signal);
        let before = counted();
        every(timer, 2_000);
        let mut n = 0;
        while counted() < before + 10 {
            n = touch(n) % 1_000;
        }
        every(timer, 0);
    }
    let mut event: libc::sigevent = call!(std::mem::zeroed());
    event.sigev_notify = libc::SIGEV_SIGNAL;
    event.sigev_signo = libc::SIGUSR2;
    count(libc::SIGUSR2);
    let mut timer = ptr::null_mut();
    done(
        "timer_create",
        call!(libc::timer_create(
            libc::CLOCK_MONOTONIC,
            &raw mut event,
            &raw mut timer
        )),
    );
    let once = libc::itimerspec {
        it_interval: libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        },
        it_value: libc::timespec {
            tv_sec: 0,
            tv_nsec: 5_000_000,
        },
    };
    let before = counted();
    said(
        "timer_settime",
        call!(libc::timer_settime(
            timer,
            0,
            &raw const once,
            ptr::null_mut()
        )),
    );
    while counted() == before {
        work();
    }
    said("timer_delete", call!(libc::timer_delete(timer)));
}
