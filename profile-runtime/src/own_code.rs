//! Whether memprof's own code runs on the calling thread, and what must not come between.
//!
//! A signal handler may interrupt memprof at any instruction, and call annotated functions itself. They would wait for
//! a lock that the interrupted code holds, for ever, or find half of a change. An allocator of the program's that is
//! annotated does the same from within. So every way into memprof begins with [`enter`], which gives nothing where
//! memprof is on the thread already. Who gets nothing does without: a call is counted then, and no more
//! ([`Site::counted_only`](crate::site::annotated::Site)).
//!
//! A thread that is cancelled (`pthread_cancel`) ends in the next call of the C library that allows it, and reading a
//! file is one. While we hold a lock that waits ([`uncancelled`]).

use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed, Ordering::SeqCst, compiler_fence};
use std::thread::LocalKey;

thread_local! {
    // Without a destructor, so that it can be asked at any moment of the thread.
    static OWN_CODE: AtomicBool = const { AtomicBool::new(false) };
}

/// The calling thread is in code that nothing may enter a second time. Dropping this ends that.
#[derive(Debug)]
pub(crate) struct Inside {
    place: &'static LocalKey<AtomicBool>,
    /// Of one thread.
    thread_bound: PhantomData<*const ()>,
}

/// Enters memprof's own code. `None` where it runs on this thread already, and was interrupted.
#[inline]
pub(crate) fn enter() -> Option<Inside> {
    enter_at(&OWN_CODE)
}

/// The same for the code that `place` stands for.
#[inline]
pub(crate) fn enter_at(place: &'static LocalKey<AtomicBool>) -> Option<Inside> {
    let was_inside = place.with(|inside| {
        // A handler that comes between both leaves what it has entered before this goes on.
        let before = inside.load(Relaxed);
        inside.store(true, Relaxed);
        before
    });
    // What follows is for this thread and its handlers in this order.
    compiler_fence(SeqCst);
    // Not `then_some`: what is made and not given would be dropped.
    (!was_inside).then(|| Inside {
        place,
        thread_bound: PhantomData,
    })
}

impl Drop for Inside {
    #[inline]
    fn drop(&mut self) {
        compiler_fence(SeqCst);
        self.place.with(|inside| inside.store(false, Relaxed));
    }
}

/// Makes `value`, typically the guard of a lock, and keeps the calling thread from being cancelled until the value is
/// dropped. Costs 17 ns.
pub(crate) fn uncancelled<T>(make: impl FnOnce() -> T) -> Uncancelled<T> {
    let cancellation = Cancellation::put_off();
    Uncancelled {
        value: make(),
        _cancellation: cancellation,
    }
}

/// See [`uncancelled`].
// The value is dropped first.
#[derive(Debug)]
pub(crate) struct Uncancelled<T> {
    value: T,
    _cancellation: Cancellation,
}

impl<T: Deref> Deref for Uncancelled<T> {
    type Target = T::Target;

    fn deref(&self) -> &T::Target {
        &self.value
    }
}

impl<T: DerefMut> DerefMut for Uncancelled<T> {
    fn deref_mut(&mut self) -> &mut T::Target {
        &mut self.value
    }
}

/// What the thread's cancellation goes back to; `None` where that cannot be changed.
#[derive(Debug)]
struct Cancellation(Option<i32>);

#[cfg(target_os = "linux")]
impl Cancellation {
    fn put_off() -> Cancellation {
        let mut before = 0;
        // SAFETY: changes the calling thread alone; the pointer is valid for a write.
        let answer = unsafe { pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &raw mut before) };
        Cancellation((answer == 0).then_some(before))
    }
}

#[cfg(target_os = "linux")]
impl Drop for Cancellation {
    fn drop(&mut self) {
        if let Some(before) = self.0 {
            // SAFETY: changes the calling thread alone; the state before is not asked for.
            unsafe { pthread_setcancelstate(before, std::ptr::null_mut()) };
        }
    }
}

#[cfg(target_os = "linux")]
const PTHREAD_CANCEL_DISABLE: std::ffi::c_int = 1;

#[cfg(target_os = "linux")]
unsafe extern "C" {
    /// See pthread_setcancelstate(3).
    fn pthread_setcancelstate(
        state: std::ffi::c_int,
        before: *mut std::ffi::c_int,
    ) -> std::ffi::c_int;
}

#[cfg(not(target_os = "linux"))]
impl Cancellation {
    fn put_off() -> Cancellation {
        Cancellation(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_code_is_entered_once_at_a_time_on_each_thread() {
        let inside = enter().expect("nobody is inside");
        for _ in 0..2 {
            assert!(enter().is_none());
        }
        std::thread::scope(|scope| {
            scope.spawn(|| assert!(enter().is_some(), "another thread"));
        });
        drop(inside);
        assert!(enter().is_some());
    }

    #[test]
    fn own_code_has_places_that_are_entered_by_themselves() {
        thread_local! {
            static PLACE: AtomicBool = const { AtomicBool::new(false) };
        }
        let outer = enter();
        let inner = enter_at(&PLACE);
        assert!(outer.is_some() && inner.is_some() && enter_at(&PLACE).is_none());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn own_code_cancellation_is_put_off_until_the_outermost_value_is_dropped() {
        let state = || Cancellation::put_off().0;
        assert_eq!(state(), Some(0), "it may be cancelled");
        let outer = uncancelled(|| Box::new(1));
        drop(uncancelled(|| Box::new(2)));
        assert_eq!((state(), *outer), (Some(PTHREAD_CANCEL_DISABLE), 1));
        drop(outer);
        assert_eq!(state(), Some(0));
    }
}
