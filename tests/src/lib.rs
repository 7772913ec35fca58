//! Helpers shared by the tests across crates: memory of known size, and programs run to their end.

use std::future::Future;
use std::task::Poll;

pub mod mapping;
pub mod program;
pub mod truth;

/// One mebibyte.
pub const MIB: usize = 1 << 20;

/// A future that is pending once and wakes its task at once.
pub fn yield_now() -> impl Future<Output = ()> {
    let mut yielded = false;
    std::future::poll_fn(move |context| {
        if std::mem::replace(&mut yielded, true) {
            Poll::Ready(())
        } else {
            context.waker().wake_by_ref();
            Poll::Pending
        }
    })
}
