//! How memprof's own packages make values of types to which fields may be added.

/// A value of one of the model's structs, written like a struct literal: `data!(Sample { t_ns, rss: 4096 })`.
///
/// Fields that are not named have their default, or what they have in `base` after `..base`. Not for others:
/// it may change in any release.
#[doc(hidden)]
#[macro_export]
macro_rules! data {
    (@value $field:ident) => { $field };
    (@value $field:ident $value:expr) => { $value };
    ($kind:ident { $($field:ident $(: $value:expr)?),* $(,)? }) => {
        $crate::data!($kind {
            $($field $(: $value)?,)*
            ..<$kind as ::core::default::Default>::default()
        })
    };
    ($kind:ident { $($field:ident $(: $value:expr)?,)* ..$base:expr }) => {{
        // All values first, in their order, as in a literal: no field's name hides what they name.
        let ($($field,)* mut value) = ($($crate::data!(@value $field $($value)?),)* $base);
        let _: &$kind = &value;
        $(value.$field = $field;)*
        value
    }};
}

#[cfg(test)]
mod tests {
    use crate::run::Sample;

    #[test]
    fn as_a_literal() {
        let (t_ns, rss) = (1, 2);
        let made = data!(Sample {
            rss: t_ns,
            t_ns: rss
        });
        let literal = Sample {
            t_ns: rss,
            rss: t_ns,
            heap: None,
        };
        assert_eq!(made, literal);
        assert_eq!(data!(Sample { t_ns, ..literal }).rss, literal.rss);
    }
}
