//! A cell for a reference that other threads read.

use crate::counters::atomics::{
    AtomicPtr,
    Ordering::{Acquire, Release},
};

/// A cell for a reference to what is never freed.
#[derive(Debug)]
pub(crate) struct StaticCell<T: 'static>(AtomicPtr<T>);

impl<T> StaticCell<T> {
    pub(crate) fn new() -> StaticCell<T> {
        StaticCell(AtomicPtr::new(std::ptr::null_mut()))
    }

    #[inline]
    pub(crate) fn set(&self, target: Option<&'static T>) {
        let pointer = target.map_or(std::ptr::null_mut(), |target| {
            std::ptr::from_ref(target).cast_mut()
        });
        self.0.store(pointer, Release);
    }

    #[inline]
    pub(crate) fn get(&self) -> Option<&'static T> {
        // SAFETY: it is null, or was made from a `&'static T` by `set`; the acquiring load saw what
        // the thread that set it knew of the target.
        unsafe { self.0.load(Acquire).as_ref() }
    }
}
