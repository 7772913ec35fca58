//! The first annotated call, and the end of the process, where they come at an awkward moment.

use std::ffi::c_void;
use std::ptr;
use std::sync::Barrier;

use memprof::profile_memory;

pub(crate) fn main(how: &str) {
    match how {
        "fork" => fork_during_the_start(),
        "exit" => exit_on_several_threads(),
        _ => match how.split_once(' ') {
            Some(("stack", kib)) => on_stack_of(kib.parse().expect("KiB"), first_call),
            Some(("exit-stack", kib)) => {
                work(1);
                on_stack_of(kib.parse().expect("KiB"), exits);
            }
            _ => panic!("unknown beginning {how:?}"),
        },
    }
}

/// Another thread makes the first annotated call meanwhile.
fn fork_during_the_start() {
    let together = Barrier::new(2);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            together.wait();
            work(1);
        });
        together.wait();
        for n in 0..20 {
            // SAFETY: the child calls functions of this program that need no other thread.
            let child = unsafe { libc::fork() };
            if child == 0 {
                work(n);
                // SAFETY: ends the process.
                unsafe { libc::_exit(0) };
            }
            let mut status = 0;
            // SAFETY: `status` is valid for a write.
            unsafe { libc::waitpid(child, &raw mut status, 0) };
            assert_eq!(status, 0);
        }
    });
}

fn exit_on_several_threads() {
    const THREADS: usize = 8;
    let together = Barrier::new(THREADS);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                together.wait();
                work(1);
                std::process::exit(7);
            });
        }
    });
}

/// Runs `work` on a thread with so small a stack.
fn on_stack_of(kib: usize, work: extern "C" fn(*mut c_void) -> *mut c_void) {
    let mut attributes = std::mem::MaybeUninit::uninit();
    let mut thread = 0;
    // SAFETY: `attributes` is valid for a write.
    unsafe { libc::pthread_attr_init(attributes.as_mut_ptr()) };
    // SAFETY: initialised above.
    let answer = unsafe { libc::pthread_attr_setstacksize(attributes.as_mut_ptr(), kib << 10) };
    assert_eq!(answer, 0);
    // SAFETY: initialised above; `work` does not use its argument.
    let answer = unsafe {
        libc::pthread_create(&raw mut thread, attributes.as_ptr(), work, ptr::null_mut())
    };
    assert_eq!(answer, 0);
    // SAFETY: joined once.
    unsafe { libc::pthread_join(thread, ptr::null_mut()) };
}

extern "C" fn first_call(_: *mut c_void) -> *mut c_void {
    work(1);
    ptr::null_mut()
}

extern "C" fn exits(_: *mut c_void) -> *mut c_void {
    std::process::exit(7);
}

#[profile_memory]
fn work(n: u64) -> u64 {
    let twice = std::hint::black_box(n) * 2;
    twice + 1
}
