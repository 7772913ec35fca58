//! The one way in which the recorder takes its locks.

#[cfg(memprof_tsan)]
use std::sync::TryLockError;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks `mutex`, even if its last holder panicked: what our locks guard is whole after every statement.
#[cfg(not(memprof_tsan))]
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// [`lock`] under ThreadSanitizer, which sees only code that is compiled with it: of the standard library's mutex
/// that is `try_lock`, but not the waiting in `lock`.
#[cfg(memprof_tsan)]
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    loop {
        match mutex.try_lock() {
            Ok(guard) => return guard,
            Err(TryLockError::Poisoned(error)) => return PoisonError::into_inner(error),
            Err(TryLockError::WouldBlock) => std::thread::yield_now(),
        }
    }
}
