//! An atomic cell for a reference that other threads read.

use crate::counters::atomics::{
    AtomicPtr,
    Ordering::{Acquire, Release},
};

/// An atomic cell for a reference to something that is never freed.
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
        // SAFETY: the pointer is null, or `set` made it from a `&'static T`. The acquiring load sees
        // everything that the setting thread wrote to the target before.
        unsafe { self.0.load(Acquire).as_ref() }
    }
}
