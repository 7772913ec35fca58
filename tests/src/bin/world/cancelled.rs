//! Threads that are cancelled (pthread_cancel(3)) during annotated calls.

use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use memprof::profile_memory;
use memprof_tests::MIB;
use memprof_tests::mapping::Mapping;

/// `PTHREAD_CANCELED`: what a thread that was cancelled returns.
const CANCELED: *mut c_void = ptr::without_provenance_mut(usize::MAX);

unsafe extern "C" {
    fn pthread_cancel(thread: libc::pthread_t) -> libc::c_int;
}

// Where a thread is cancelled. The C library unwinds it from there.
#[cfg(panic = "unwind")]
unsafe extern "C-unwind" {
    fn pthread_testcancel();
    fn usleep(microseconds: libc::useconds_t) -> libc::c_int;
}

// The same where nothing is unwound: what is said to unwind ends the program then, with memprof or without.
#[cfg(not(panic = "unwind"))]
unsafe extern "C" {
    fn pthread_testcancel();
    fn usleep(microseconds: libc::useconds_t) -> libc::c_int;
}

/// The calls that have begun.
static BEGUN: AtomicU64 = AtomicU64::new(0);

pub(crate) fn main(how: &str) {
    let (times, run): (u64, Run) = match how {
        "outside" => (40, until_cancelled),
        "outside, often" => (200, until_cancelled),
        "inside" => (40, until_cancelled_inside),
        other => panic!("unknown way {other:?}"),
    };
    for number in 0..times {
        let thread = start(run);
        std::thread::sleep(Duration::from_micros(number * 137 % 4_000));
        // SAFETY: the thread has not been joined.
        unsafe { pthread_cancel(thread) };
        let mut result = ptr::null_mut();
        // SAFETY: the thread is joined once.
        unsafe { libc::pthread_join(thread, &raw mut result) };
        assert_eq!(result, CANCELED);
    }
    work();
    println!("work {}", BEGUN.load(Relaxed));
}

/// What a thread runs. It is unwound when it is cancelled.
type Run = extern "C-unwind" fn(*mut c_void) -> *mut c_void;

fn start(run: Run) -> libc::pthread_t {
    let mut thread = 0;
    // The type that the C library's function wants says nothing of unwinding.
    // SAFETY: both types are called alike.
    let run = unsafe { std::mem::transmute::<Run, extern "C" fn(*mut c_void) -> *mut c_void>(run) };
    // SAFETY: `thread` is valid for a write, and `run` does not use its argument.
    let answer =
        unsafe { libc::pthread_create(&raw mut thread, ptr::null(), run, ptr::null_mut()) };
    assert_eq!(answer, 0);
    thread
}

extern "C-unwind" fn until_cancelled(_: *mut c_void) -> *mut c_void {
    loop {
        work();
        // SAFETY: nothing of this function needs to be dropped.
        unsafe { pthread_testcancel() };
    }
}

/// Has no point in it at which a thread is cancelled.
#[profile_memory]
fn work() {
    BEGUN.fetch_add(1, Relaxed);
    for _ in 0..10 {
        let _mapping = Mapping::new(MIB / 64);
    }
}

extern "C-unwind" fn until_cancelled_inside(_: *mut c_void) -> *mut c_void {
    loop {
        wait();
    }
}

/// Is cancelled while it sleeps.
#[profile_memory]
fn wait() {
    for _ in 0..10 {
        let _mapping = Mapping::new(MIB / 64);
        // SAFETY: the mapping is a value of ours, which may be left behind.
        unsafe { usleep(100) };
    }
}
