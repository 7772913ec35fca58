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

unsafe extern "C-unwind" {
    fn pthread_testcancel();
}

/// The calls that have begun.
static BEGUN: AtomicU64 = AtomicU64::new(0);

pub(crate) fn main(how: &str) {
    let times = match how {
        "short" => 10,
        "long" => 200,
        other => panic!("unknown length {other:?}"),
    };
    for number in 0..times {
        let thread = start();
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

fn start() -> libc::pthread_t {
    let mut thread = 0;
    // The type of the C library's function has no unwinding.
    // SAFETY: both types are called alike.
    let run: extern "C" fn(*mut c_void) -> *mut c_void = unsafe {
        std::mem::transmute::<
            extern "C-unwind" fn(*mut c_void) -> *mut c_void,
            extern "C" fn(*mut c_void) -> *mut c_void,
        >(until_cancelled)
    };
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
