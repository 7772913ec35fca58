//! The value of `by = …`, which may be any number.

use crate::site::spec::Site;
use crate::thread::current;

/// A number that can be the size of an input.
#[diagnostic::on_unimplemented(
    message = "`by = …` must be a number, and this is `{Self}`",
    label = "not a number",
    note = "for a collection write its length: `by = items.len()`"
)]
pub trait Size {
    /// As a number.
    fn size(&self) -> f64;
}

macro_rules! sizes {
    ($($number:ty),*) => {$(
        impl Size for $number {
            #[inline]
            #[allow(clippy::cast_lossless, reason = "one line for all numbers")]
            fn size(&self) -> f64 {
                *self as f64
            }
        }
    )*};
}

sizes!(
    u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize, f32, f64
);

impl<T: Size + ?Sized> Size for &T {
    #[inline]
    fn size(&self) -> f64 {
        (**self).size()
    }
}

/// The value of `by = …` as a number; taken before the call begins.
#[inline]
pub fn size<T: Size + ?Sized>(value: &T) -> f64 {
    value.size()
}

/// The call of `site` that has just begun on this thread has the size `n`.
pub fn by(site: &'static Site, n: f64) {
    if let Some(call) = current::current_call_of(site) {
        call.set_size(n);
    }
}
