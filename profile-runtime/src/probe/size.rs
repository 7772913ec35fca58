//! The value of `by = …`, which may be any number.

use crate::own_code;
use crate::site::annotated::Site;
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
    if let Some(_inside) = own_code::enter()
        && let Some(call) = current::current_call_of(site)
    {
        call.set_size(n);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::own_process::alone;
    use crate::probe::frame::Frame;
    use crate::site::limits::Limits;
    use crate::site::spec::SiteSpec;
    use crate::snapshot::snapshot;

    #[test]
    fn size_every_number_is_a_size() {
        let sizes = [
            size(&200_u8),
            size(&u16::MAX),
            size(&u32::MAX),
            size(&(1_u64 << 53)),
            size(&(1_u128 << 100)),
            size(&7_usize),
            size(&-1_i8),
            size(&i16::MIN),
            size(&i32::MIN),
            size(&i64::MIN),
            size(&-7_i128),
            size(&-7_isize),
            size(&1.5_f32),
            size(&-2.5_f64),
        ];
        let expected = [
            200.0,
            65_535.0,
            4_294_967_295.0,
            9_007_199_254_740_992.0,
            1_267_650_600_228_229_401_496_703_205_376.0,
            7.0,
            -1.0,
            -32_768.0,
            -2_147_483_648.0,
            -9_223_372_036_854_775_808.0,
            -7.0,
            -7.0,
            1.5,
            -2.5,
        ];
        assert_eq!(sizes, expected);
        assert!(size(&f64::NAN).is_nan());
    }

    #[test]
    fn size_a_reference_to_a_number_has_its_size() {
        let n = &&&5_u32;
        assert_eq!(size(n), 5.0);
    }

    static SITE: Site = Site::new(SiteSpec {
        name: || "demo::sized",
        label: None,
        block: None,
        file: "src/f.rs",
        line: 1,
        interval_ns: 10_000_000,
        source: "",
        source_line: 1,
        lines: &[1],
    })
    .per_call(Limits::NONE, Some("n"));

    static OTHER: Site = Site::new(SiteSpec::own("other", &[1]));

    #[test]
    fn size_the_call_that_has_just_begun_has_the_size_and_no_other_site_s() {
        alone(|| {
            // Nothing is recorded yet.
            by(&SITE, 1.0);
            let frame = Frame::enter(&SITE);
            by(&SITE, 8.0);
            by(&OTHER, 9.0);
            drop(frame);
            drop(Frame::enter(&SITE));
            let run = snapshot().expect("calls were made");
            let sizes: Vec<_> = run.functions[0]
                .call_records
                .iter()
                .map(|call| call.by)
                .collect();
            assert_eq!(sizes, [Some(8.0), None]);
        });
    }
}
