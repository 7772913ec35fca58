//! Helpers shared by the tests across crates: memory of known size, and programs run to their end.

use std::future::Future;
use std::task::Poll;

pub mod house;
pub mod killed;
pub mod mapping;
#[cfg(target_os = "linux")]
pub mod memory_limit;
pub mod plugin;
pub mod program;
pub mod shipped;
pub mod truth;
pub mod user_crate;

/// The same functions twice: in the module `plain`, and with the attribute in the module `profiled`.
#[macro_export]
macro_rules! functions {
    ($($functions:tt)*) => {
        mod plain {
            use super::*;
            $($functions)*
        }
        #[memprof::profile_memory]
        mod profiled {
            use super::*;
            $($functions)*
        }
    };
}

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
