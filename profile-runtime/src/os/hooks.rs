//! Where the C library lets us in: the end of the process, and the child of a fork.

/// Has `handler` called when the process ends by `exit` or by returning from `main` (atexit(3)),
/// and `child` in the child of every fork (pthread_atfork(3)). Says whether `handler` will be called.
pub(crate) fn install(handler: extern "C" fn(), child: extern "C" fn()) -> bool {
    #[cfg(unix)]
    // SAFETY: `child` is a plain function that lives as long as the program and sets a flag only.
    unsafe {
        libc::pthread_atfork(None, None, Some(child));
    }
    #[cfg(not(unix))]
    let _ = child;
    // SAFETY: `handler` is a plain function that lives as long as the program and does not unwind.
    unsafe { libc::atexit(handler) == 0 }
}
