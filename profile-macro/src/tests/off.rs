//! Where recording is compiled out: the user's tokens, and the same errors.

use expect_test::expect;
use proc_macro2::TokenStream;

use super::pretty;
use crate::{expand, off};

fn tokens(text: &str) -> TokenStream {
    text.parse().expect("tokens")
}

/// The item is passed on as it is, but for `#[memprof(skip)]`.
#[track_caller]
fn is_left_alone(args: &str, item: &str) {
    let expanded = off::attribute(tokens(args), tokens(item));
    let without = item.replace("#[memprof(skip)]", "");
    assert_eq!(expanded.to_string(), tokens(&without).to_string());
}

#[test]
fn functions_are_left_alone() {
    is_left_alone("", "fn f() { g(); h() }");
    is_left_alone(
        "interval_ms = 1, name = \"a\", max_peak = \"1 MiB\"",
        "/// Doc.\n#[inline] pub(crate) async unsafe fn f<T: Copy>(t: T) -> T { #![allow(unused)] g().await?; t }",
    );
    is_left_alone(
        "lines = false",
        "fn f() { #[memprof(skip)] for i in 0..9 { g(i); } h() }",
    );
}

#[test]
fn containers_are_left_alone() {
    is_left_alone(
        "",
        "impl A { const B: u8 = 1; #[memprof(skip)] fn c(&self) { d() } fn e() { #[memprof(skip)] loop { f() } } }",
    );
    is_left_alone("", "trait A { fn b(&self); fn c(&self) { self.b() } }");
    is_left_alone("", "mod a { struct B; const fn c() {} fn d() { c() } }");
}

#[test]
fn a_size_is_checked_and_not_evaluated() {
    let expanded = off::attribute(
        tokens("by = items.len()"),
        tokens("fn f(items: &[u8]) { g() }"),
    );
    expect![[r#"
        fn f(items: &[u8]) {
            if false {
                let _ = ::memprof::__private::size(&(items.len()));
            }
            g()
        }
    "#]]
    .assert_eq(&pretty(expanded));
}

#[test]
fn regions_are_plain_blocks() {
    let without_spaces = |tokens: TokenStream| tokens.to_string().replace(' ', "");
    let input = "\"a\", lines = false, { #[memprof(skip)] f()?; g() }";
    assert_eq!(without_spaces(off::block(tokens(input))), "{f()?;g()}");
    let input = "f(1)?, max_peak = \"1 MiB\"";
    assert_eq!(without_spaces(off::assertion(tokens(input))), "{f(1)?}");
}

/// What is wrong is wrong in the same way.
#[test]
fn errors_are_those_of_recording() {
    for (args, item) in [
        ("interval", "fn f() { g() }"),
        ("interval_ms = 0", "fn f() { g() }"),
        ("max_growth = \"n^2\"", "fn f() { g() }"),
        ("", "const fn f() { g() }"),
        ("", "fn f();"),
        ("", "struct S;"),
        ("", "#[profile_memory] fn f() { g() }"),
        ("name = \"a\"", "impl A { fn f() { g() } }"),
        ("by = n", "impl A { fn f() { g() } }"),
        ("", "mod a;"),
    ] {
        let off = off::attribute(tokens(args), tokens(item)).to_string();
        let on = expand::attribute(tokens(args), tokens(item)).to_string();
        assert!(off.contains("compile_error"), "{args} {item}");
        assert_eq!(off, on, "{args} {item}");
    }
    for input in [
        "{ f() }",
        "\"a\", color = 1, { f() }",
        "\"a\", { f().await }",
    ] {
        let (off, on) = (off::block(tokens(input)), expand::block(tokens(input)));
        assert!(off.to_string().contains("compile_error"), "{input}");
        assert_eq!(off.to_string(), on.to_string(), "{input}");
    }
    for input in ["f()", "f(), max_peak = 1 MiB", "f().await, max_peak = 1"] {
        let (off, on) = (
            off::assertion(tokens(input)),
            expand::assertion(tokens(input)),
        );
        assert!(off.to_string().contains("compile_error"), "{input}");
        assert_eq!(off.to_string(), on.to_string(), "{input}");
    }
}
