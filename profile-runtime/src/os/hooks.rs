//! Hooks of the C library: at the end of the process, and in the child of a fork.

use std::sync::OnceLock;

/// What is to be called at the end, with the exit code where it is known.
static AT_EXIT: OnceLock<fn(Option<i32>)> = OnceLock::new();

/// Has `handler` called when the process ends by `exit` or by returning from `main` (on_exit(3), which tells the exit
/// code, or atexit(3)). Has `child` called in the child of every fork (pthread_atfork(3)).
///
/// Says whether `handler` will be called; it must not unwind. The first call is the one that counts.
pub(crate) fn install(handler: fn(Option<i32>), child: extern "C" fn()) -> bool {
    if AT_EXIT.set(handler).is_err() {
        return true;
    }
    #[cfg(unix)]
    // SAFETY: `child` is a plain function that lives as long as the program and sets a flag only.
    unsafe {
        libc::pthread_atfork(None, None, Some(child));
    }
    #[cfg(not(unix))]
    let _ = child;
    install_at_exit()
}

/// Calls the handler; `status` is the exit code, where it is known.
fn at_exit(status: Option<i32>) {
    if let Some(handler) = AT_EXIT.get() {
        handler(status);
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn install_at_exit() -> bool {
    use std::ffi::{c_int, c_void};
    use std::ptr::null_mut;

    unsafe extern "C" {
        fn on_exit(handler: extern "C" fn(c_int, *mut c_void), argument: *mut c_void) -> c_int;
    }
    extern "C" fn ended(status: c_int, _: *mut c_void) {
        at_exit(Some(status));
    }
    // SAFETY: `ended` is a plain function that lives as long as the program, does not unwind and does
    // not look at its argument.
    unsafe { on_exit(ended, null_mut()) == 0 }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn install_at_exit() -> bool {
    extern "C" fn ended() {
        at_exit(None);
    }
    // SAFETY: `ended` is a plain function that lives as long as the program and does not unwind.
    unsafe { libc::atexit(ended) == 0 }
}

/// Ends the process with another exit code. Called from the handler, when the end has begun already.
pub(crate) fn end_with(status: i32) -> ! {
    // glibc then calls the handlers that are left. Elsewhere this is not defined.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: called from a handler of `on_exit`, which glibc allows.
    unsafe {
        libc::exit(status)
    }
    #[cfg(not(all(target_os = "linux", target_env = "gnu")))]
    // SAFETY: `_exit` ends the process at once. What Rust has buffered was written before the end began.
    unsafe {
        libc::_exit(status)
    }
}
