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
            let __memprof_frame = ::memprof::__private::Frame::enter(&__MEMPROF_SITE);
            let __memprof = __memprof_frame.probe();
            match () {
                () => {
                    let __memprof_end = __memprof.end(1);
                    __memprof.line(0);
                    iter::once(1)
                }
            }
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
            let __memprof_frame = crate::prof::__private::Frame::enter(&__MEMPROF_SITE);
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
                let __memprof_frame = ::memprof::__private::Frame::enter(&__MEMPROF_SITE);
                let __memprof = __memprof_frame.probe();
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

#[test]
fn an_async_function() {
    let item = "
async fn f(&self, mut a: A, (b, _): (B, C), unused: D, _e: E) -> Result<impl Debug, &str> {
    use E as F;
    let g = a.get(b).await?;
    self.h(g)
}";
    let expanded = expand::attribute(quote!(), item.parse().expect("tokens"));
    expect![[r#"
        async fn f(
            &self,
            mut a: A,
            (b, _): (B, C),
            unused: D,
            _e: E,
        ) -> Result<impl Debug, &str> {
            static __MEMPROF_SITE: ::memprof::__private::Site = ::memprof::__private::Site::new(::memprof::__private::SiteSpec {
                name: || {
                    fn __memprof_here() {}
                    ::memprof::__private::name_of(&__memprof_here)
                },
                label: ::core::option::Option::None,
                block: ::core::option::Option::None,
                file: "<parsed string 1>",
                line: 2,
                interval_ns: 10000000,
                source: "{\n    use E as F;\n    let g = a.get(b).await?;\n    self.h(g)\n}",
                source_line: 2,
                lines: &[4, 5, 6],
            });
            ::memprof::__private::profiled(
                    &__MEMPROF_SITE,
                    async move {
                        if false {
                            return ::memprof::__private::never::<Result<_, &str>>();
                        }
                        #[allow(clippy::used_underscore_binding)]
                        let _ = &_e;
                        let _ = &b;
                        let _ = &a;
                        let _ = &self;
                        let __memprof = ::memprof::__private::AsyncProbe::new(&__MEMPROF_SITE);
                        {
                            use E as F;
                            __memprof.line(0);
                            let g = a.get(b).await?;
                            let __memprof_end = __memprof.end(2);
                            __memprof.line(1);
                            self.h(g)
                        }
                    },
                )
                .await
        }
    "#]].assert_eq(&pretty(expanded));
}

#[test]
fn an_async_function_that_never_ends() {
    let item = "async fn f() -> ! {\n    loop {\n        step().await;\n    }\n}";
    let expanded = expand::attribute(quote!(), item.parse().expect("tokens"));
    expect![[r#"
        async fn f() -> ! {
            static __MEMPROF_SITE: ::memprof::__private::Site = ::memprof::__private::Site::new(::memprof::__private::SiteSpec {
                name: || {
                    fn __memprof_here() {}
                    ::memprof::__private::name_of(&__memprof_here)
                },
                label: ::core::option::Option::None,
                block: ::core::option::Option::None,
                file: "<parsed string 1>",
                line: 1,
                interval_ns: 10000000,
                source: "{\n    loop {\n        step().await;\n    }\n}",
                source_line: 1,
                lines: &[2, 3, 5],
            });
            match ::memprof::__private::profiled(
                    &__MEMPROF_SITE,
                    async move {
                        let __memprof = ::memprof::__private::AsyncProbe::new(&__MEMPROF_SITE);
                        let __memprof_never: ::core::convert::Infallible = {
                            let __memprof_end = __memprof.end(2);
                            __memprof.line(0);
                            loop {
                                let __memprof_again = __memprof.each(0);
                                __memprof.hot_line(1);
                                step().await;
                            }
                        };
                        #[allow(unreachable_code)] __memprof_never
                    },
                )
                .await
            {}
        }
    "#]].assert_eq(&pretty(expanded));
}

#[test]
fn a_function_that_returns_a_boxed_future() {
    let item = "
fn f<'a>(&'a self) -> ::core::pin::Pin<Box<dyn Future<Output = u32> + Send + 'a>> {
    let before = 1;
    Box::pin(async move {
        let __self = self;
        before
    })
}";
    let expanded = expand::attribute(quote!(), item.parse().expect("tokens"));
    expect![[r#"
        fn f<'a>(&'a self) -> ::core::pin::Pin<Box<dyn Future<Output = u32> + Send + 'a>> {
            static __MEMPROF_SITE: ::memprof::__private::Site = ::memprof::__private::Site::new(::memprof::__private::SiteSpec {
                name: || {
                    fn __memprof_here() {}
                    ::memprof::__private::name_of(&__memprof_here)
                },
                label: ::core::option::Option::None,
                block: ::core::option::Option::None,
                file: "<parsed string 1>",
                line: 2,
                interval_ns: 10000000,
                source: "{\n    let before = 1;\n    Box::pin(async move {\n        let __self = self;\n        before\n    })\n}",
                source_line: 2,
                lines: &[5, 6, 7],
            });
            let before = 1;
            Box::pin(
                ::memprof::__private::profiled(
                    &__MEMPROF_SITE,
                    async move {
                        let __memprof = ::memprof::__private::AsyncProbe::new(&__MEMPROF_SITE);
                        __memprof.line(0);
                        let __self = self;
                        let __memprof_end = __memprof.end(2);
                        __memprof.line(1);
                        before
                    },
                ),
            )
        }
    "#]].assert_eq(&pretty(expanded));
}

#[test]
fn an_impl_block() {
    let item = "
impl<T> S<T> {
    const C: u32 = 1;
    const fn one() -> u32 { 1 }
    #[memprof(skip)]
    fn two() -> u32 { 2 }
    #[profile_memory(lines = false)]
    fn three() -> u32 { 3 }
    fn four() -> u32 { 4 }
}";
    let expanded = expand::attribute(quote!(), item.parse().expect("tokens"));
    expect![[r#"
        impl<T> S<T> {
            const C: u32 = 1;
            const fn one() -> u32 {
                1
            }
            fn two() -> u32 {
                2
            }
            #[profile_memory(lines = false)]
            fn three() -> u32 {
                3
            }
            fn four() -> u32 {
                static __MEMPROF_SITE: ::memprof::__private::Site = ::memprof::__private::Site::new(::memprof::__private::SiteSpec {
                    name: || {
                        fn __memprof_here() {}
                        ::memprof::__private::name_of(&__memprof_here)
                    },
                    label: ::core::option::Option::None,
                    block: ::core::option::Option::None,
                    file: "<parsed string 1>",
                    line: 9,
                    interval_ns: 10000000,
                    source: "{ 4 }",
                    source_line: 9,
                    lines: &[9],
                });
                let __memprof_frame = ::memprof::__private::Frame::enter(&__MEMPROF_SITE);
                let __memprof = __memprof_frame.probe();
                __memprof.line(0);
                4
            }
        }
    "#]].assert_eq(&pretty(expanded));
}

#[test]
fn a_trait_and_a_module() {
    let item = "
pub mod m {
    trait T {
        fn one();
        fn two() { 2 }
    }
    #[memprof(skip)]
    mod inner { fn three() { 3 } }
}";
    let expanded = expand::attribute(quote!(lines = false), item.parse().expect("tokens"));
    expect![[r#"
        pub mod m {
            trait T {
                fn one();
                fn two() {
                    static __MEMPROF_SITE: ::memprof::__private::Site = ::memprof::__private::Site::new(::memprof::__private::SiteSpec {
                        name: || {
                            fn __memprof_here() {}
                            ::memprof::__private::name_of(&__memprof_here)
                        },
                        label: ::core::option::Option::None,
                        block: ::core::option::Option::None,
                        file: "<parsed string 1>",
                        line: 5,
                        interval_ns: 10000000,
                        source: "{ 2 }",
                        source_line: 5,
                        lines: &[],
                    });
                    let __memprof_frame = ::memprof::__private::Frame::enter(&__MEMPROF_SITE);
                    2
                }
            }
            mod inner {
                fn three() {
                    3
                }
            }
        }
    "#]].assert_eq(&pretty(expanded));
}

/// A limit puts the body where its value can be dropped before the panic, and `return` leads there.
#[test]
fn limits() {
    let args = quote!(
        max_peak = "64 MiB",
        max_allocations = 3,
        on_exceed = "warn",
        by = n + 1
    );
    let expanded = expand::attribute(
        args,
        quote!(
            fn f(n: usize) -> usize {
                use a::b;
                if n > 7 {
                    return 7;
                }
                let same = || return n;
                same()
            }
        ),
    );
    expect![[r#"
        fn f(n: usize) -> usize {
            use a::b;
            static __MEMPROF_SITE: ::memprof::__private::Site = ::memprof::__private::Site::new(::memprof::__private::SiteSpec {
                    name: || {
                        fn __memprof_here() {}
                        ::memprof::__private::name_of(&__memprof_here)
                    },
                    label: ::core::option::Option::None,
                    block: ::core::option::Option::None,
                    file: "<unspecified>",
                    line: 1,
                    interval_ns: 10000000,
                    source: "",
                    source_line: 1,
                    lines: &[1],
                })
                .per_call(
                    ::memprof::__private::Limits::NONE.peak(67108864).allocations(3).warn(),
                    ::core::option::Option::Some("n + 1"),
                );
            let __memprof_limits = ::memprof::__private::LimitGuard::new(&__MEMPROF_SITE);
            ::memprof::__private::within(
                &__memprof_limits,
                '__memprof: {
                    let __memprof_by = ::memprof::__private::size(&(n + 1));
                    let __memprof_frame = ::memprof::__private::Frame::enter(&__MEMPROF_SITE);
                    ::memprof::__private::by(&__MEMPROF_SITE, __memprof_by);
                    let __memprof = __memprof_frame.probe();
                    match () {
                        () => {
                            __memprof.line(0);
                            if n > 7 {
                                break '__memprof 7;
                            }
                            let same = || return n;
                            same()
                        }
                    }
                },
            )
        }
    "#]].assert_eq(&pretty(expanded));
}
