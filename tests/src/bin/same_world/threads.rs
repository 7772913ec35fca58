//! Threads: their priorities, processors, storage and ends.

use std::cell::Cell;
use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;

use crate::look;
use crate::say::said;
use crate::work::{touch, within, work};

pub(crate) const MODES: [crate::Mode; 5] = [
    ("one-thread", one_thread),
    ("scheduled", scheduled),
    ("scheduled-first", scheduled),
    ("cancellation-switched", cancellation_switched),
    ("storage-of-threads", storage_of_threads),
];

unsafe extern "C" {
    fn pthread_setcancelstate(state: libc::c_int, before: *mut libc::c_int) -> libc::c_int;
    fn pthread_setcanceltype(kind: libc::c_int, before: *mut libc::c_int) -> libc::c_int;
}

/// State and kind of the calling thread's.
pub(crate) fn cancellation() -> (i32, i32) {
    let (mut state, mut kind) = (0, 0);
    call!(pthread_setcancelstate(1, &raw mut state));
    call!(pthread_setcancelstate(state, ptr::null_mut()));
    call!(pthread_setcanceltype(0, &raw mut kind));
    call!(pthread_setcanceltype(kind, ptr::null_mut()));
    (state, kind)
}

/// Names of all threads that there are.
fn one_thread() {
    work();
    let mut names: Vec<String> = std::fs::read_dir("/proc/self/task")
        .expect("procfs")
        .map(|entry| {
            std::fs::read_to_string(entry.expect("an entry").path().join("comm")).expect("a name")
        })
        .collect();
    names.sort();
    names.iter().for_each(|name| print!("thread {name}"));
}

/// Priority, processors, kind of scheduling and name, which new threads inherit.
fn scheduled() {
    let mut processors: libc::cpu_set_t = call!(std::mem::zeroed());
    call!(libc::CPU_SET(0, &mut processors));
    said(
        "affinity",
        call!(libc::sched_setaffinity(
            0,
            size_of::<libc::cpu_set_t>(),
            &raw const processors
        )),
    );
    said("nice", call!(libc::setpriority(libc::PRIO_PROCESS, 0, 5)));
    let parameters = libc::sched_param { sched_priority: 0 };
    said(
        "batch",
        call!(libc::sched_setscheduler(
            0,
            libc::SCHED_BATCH,
            &raw const parameters
        )),
    );
    said(
        "ioprio",
        call!(libc::syscall(libc::SYS_ioprio_set, 1, 0, (2 << 13) | 6)),
    );
    said("slack", call!(libc::prctl(libc::PR_SET_TIMERSLACK, 77_000)));
    said(
        "name",
        call!(libc::prctl(libc::PR_SET_NAME, c"renamed".as_ptr())),
    );
    said(
        "death",
        call!(libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGUSR1)),
    );
    work();
    let inner = || {
        work();
        look::around("on a thread");
    };
    thread::spawn(inner).join().expect("no panic");
}

/// What a thread has set of its own is as it was after annotated calls.
fn cancellation_switched() {
    for (state, kind) in [(1, 0), (1, 1), (0, 1), (0, 0)] {
        call!(pthread_setcanceltype(kind, ptr::null_mut()));
        call!(pthread_setcancelstate(state, ptr::null_mut()));
        println!("{:?}", within(cancellation));
        touch(1);
        println!("{:?}", cancellation());
    }
}

static DROPPED: AtomicU64 = AtomicU64::new(0);

struct Counts(Cell<u64>);

impl Drop for Counts {
    fn drop(&mut self) {
        DROPPED.fetch_add(touch(self.0.get()), Relaxed);
    }
}

thread_local! {
    static OF_RUST: Counts = const { Counts(Cell::new(0)) };
}

extern "C" fn destructor(value: *mut c_void) {
    DROPPED.fetch_add(touch(value.addr() as u64), Relaxed);
}

/// Of Rust's and of C's. All keys that there are, less those of a handful, are the program's.
fn storage_of_threads() {
    let mut key = 0;
    said(
        "key",
        call!(libc::pthread_key_create(&raw mut key, Some(destructor))),
    );
    for number in 1..=50_usize {
        let inner = move || {
            OF_RUST.with(|counts| counts.0.set(number as u64));
            call!(libc::pthread_setspecific(
                key,
                ptr::without_provenance(number)
            ));
            touch(1);
        };
        thread::spawn(inner).join().expect("no panic");
    }
    println!("{}", DROPPED.load(Relaxed));
    let mut keys = 0;
    while keys < 900 && call!(libc::pthread_key_create(&raw mut key, None)) == 0 {
        keys += 1;
    }
    println!("keys {keys}");
}
