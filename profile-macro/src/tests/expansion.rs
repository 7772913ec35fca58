//! Whole expansions.

use expect_test::expect;
use quote::quote;

use super::pretty;
use crate::expand;

#[test]
fn a_function() {
    let item = "
/// Documented.
#[inline]
pub(crate) unsafe extern \"C\" fn r#fn<'a, const N: usize>(&'a self) -> impl Iterator<Item = u8> + 'a
where
    Self: Sized,
{
    #![allow(unused)]
    use std::iter;
    iter::once(1)
}";
    let expanded = expand::attribute(quote!(), item.parse().expect("tokens"));
    expect![[r#"
        /// Documented.
        #[inline]
        pub(crate) unsafe extern "C" fn r#fn<'a, const N: usize>(
            &'a self,
        ) -> impl Iterator<Item = u8> + 'a
        where
            Self: Sized,
        {
            #![allow(unused)]
            use std::iter;
            static __MEMPROF_SITE: ::memprof::__private::Site = ::memprof::__private::Site::new(::memprof::__private::SiteSpec {
                name: || {
                    fn __memprof_here() {}
                    ::memprof::__private::name_of(&__memprof_here)
                },
                label: ::core::option::Option::None,
                block: ::core::option::Option::None,
                file: "<parsed string 1>",
                line: 4,
                interval_ns: 10000000,
                source: "{\n    #![allow(unused)]\n    use std::iter;\n    iter::once(1)\n}",
                source_line: 7,
                lines: &[10, 11],
            });
            let __memprof = ::memprof::__private::Frame::enter(&__MEMPROF_SITE);
            let __memprof_end = __memprof.end(1);
            __memprof.line(0);
            iter::once(1)
        }
    "#]].assert_eq(&pretty(expanded));
}

#[test]
fn arguments() {
    let args = quote!(
        interval_ms = 2.5,
        name = "a label",
        lines = false,
        crate = crate::prof
    );
    let expanded = expand::attribute(
        args,
        quote!(
            fn f() {
                1
            }
        ),
    );
    expect![[r#"
        fn f() {
            static __MEMPROF_SITE: crate::prof::__private::Site = crate::prof::__private::Site::new(crate::prof::__private::SiteSpec {
                name: || {
                    fn __memprof_here() {}
                    crate::prof::__private::name_of(&__memprof_here)
                },
                label: ::core::option::Option::Some("a label"),
                block: ::core::option::Option::None,
                file: "<unspecified>",
                line: 1,
                interval_ns: 2500000,
                source: "",
                source_line: 1,
                lines: &[],
            });
            let __memprof = crate::prof::__private::Frame::enter(&__MEMPROF_SITE);
            1
        }
    "#]].assert_eq(&pretty(expanded));
}

#[test]
fn a_region() {
    let block = "\"region\", interval_ms = 1, {\n    let a = one()?;\n    a\n}";
    let expanded = expand::block(block.parse().expect("tokens"));
    expect![[r#"
        fn around() -> R {
            {
                static __MEMPROF_SITE: ::memprof::__private::Site = ::memprof::__private::Site::new(::memprof::__private::SiteSpec {
                    name: || {
                        fn __memprof_here() {}
                        ::memprof::__private::name_of(&__memprof_here)
                    },
                    label: ::core::option::Option::None,
                    block: ::core::option::Option::Some("region"),
                    file: "<parsed string 1>",
                    line: 1,
                    interval_ns: 1000000,
                    source: "{\n    let a = one()?;\n    a\n}",
                    source_line: 1,
                    lines: &[2, 3, 4],
                });
                let __memprof = ::memprof::__private::Frame::enter(&__MEMPROF_SITE);
                __memprof.line(0);
                let a = one()?;
                let __memprof_end = __memprof.end(2);
                __memprof.line(1);
                a
            }
        }
    "#]].assert_eq(&pretty(quote!(fn around() -> R { #expanded })));
}

#[test]
fn statements_in_a_syntax_of_the_future_are_kept() {
    let item = quote!(fn f() { #![allow(unused)] let x <- 3; });
    let expanded = expand::attribute(quote!(), item).to_string();
    assert!(expanded.ends_with("let x <- 3 ; }"), "{expanded}");
    assert!(expanded.contains("Frame :: enter"), "{expanded}");
}
