//! One error for each mistake, and the item as it was.

use quote::quote;

use super::errors;
use crate::expand;

#[track_caller]
fn refuses(args: &str, item: &str, message: &str) {
    let args = args.parse().expect("tokens");
    let tokens = item.parse().expect("tokens");
    let (errors, rest) = errors(expand::attribute(args, tokens));
    assert_eq!(errors, [message]);
    let item = syn::parse_file(item).expect("an item");
    assert_eq!(rest, prettyplease::unparse(&item));
}

#[track_caller]
fn refuses_args(args: &str, message: &str) {
    refuses(args, "fn f() { g() }", message);
}

#[test]
fn arguments() {
    refuses_args(
        "interval",
        "unknown argument `interval`; did you mean `interval_ms`?",
    );
    refuses_args(
        "color = 1",
        "unknown argument `color`; there are `interval_ms = 10`, `name = \"…\"`, `lines = false`, \
         `crate = path`, `by = n`, and limits such as `max_peak = \"64 MiB\"`",
    );
    refuses_args(
        "lines = false, lines = true",
        "`lines` is given twice; remove one of the two",
    );
    refuses_args("10", "expected an argument, such as `interval_ms = 10`");
    refuses_args(
        "lines = false name = \"a\"",
        "expected `lines = false` or `lines = true`",
    );
}

#[test]
fn intervals() {
    let number = "expected a number of milliseconds, such as `interval_ms = 10` or \
                  `interval_ms = 2.5`";
    refuses_args("interval_ms", number);
    refuses_args("interval_ms =", number);
    refuses_args("interval_ms = \"10\"", number);
    refuses_args("interval_ms = 10ms", number);
    let range = "`interval_ms` must be at least 0.1 (milliseconds) and at most 86400000 (a day)";
    refuses_args("interval_ms = 0", range);
    refuses_args("interval_ms = -1", range);
    refuses_args("interval_ms = 1e300", range);
    refuses_args("interval_ms = 99999999999999999999999999", range);
}

#[test]
fn values() {
    refuses_args(
        "name = 3",
        "expected a text, such as `name = \"Matrix inversion\"`",
    );
    refuses_args(
        "name = \" \"",
        "`name` must not be empty; leave it out to use the function's",
    );
    refuses_args("lines", "expected `lines = false` or `lines = true`");
    refuses_args("lines = 1", "expected `lines = false` or `lines = true`");
    refuses_args(
        "crate = 1",
        "expected a path, such as `crate = my_crate::memprof`",
    );
}

#[test]
fn items() {
    let no_const = "a `const fn` cannot be profiled, because it may run at compile time; remove \
                    `const`, or write `#[profile_memory]` on the function that calls it";
    refuses("", "pub const unsafe fn f() {}", no_const);
    let on_function = "`#[profile_memory]` goes on a function, or on an impl block, a trait or an \
                       inline module with functions, and this is";
    refuses("", "struct S { a: u8 }", &format!("{on_function} a struct"));
    refuses("", "pub enum E { A }", &format!("{on_function} an enum"));
    refuses("", "const C: u8 = 1;", &format!("{on_function} a const"));
    refuses(
        "",
        "extern \"C\" { fn f(); }",
        &format!("{on_function} an extern block"),
    );
}

#[test]
fn a_function_without_a_body() {
    let message = "this function has no body to profile; write `#[profile_memory]` on the \
                   functions that implement it";
    let expanded = expand::attribute(
        quote!(),
        quote!(
            fn f(&self);
        ),
    );
    assert!(
        expanded.to_string().starts_with("fn f (& self) ;"),
        "{expanded}"
    );
    assert!(expanded.to_string().contains(message), "{expanded}");
}

#[test]
fn regions() {
    let refused = expand::block(quote!("name", lines = 3, { one() }));
    assert!(
        refused.to_string().contains("expected `lines = false`"),
        "{refused}"
    );
    assert!(refused.to_string().ends_with("one () }"), "{refused}");
    let refused = expand::block(quote!({ one() }));
    assert!(
        refused.to_string().contains("expected a name first"),
        "{refused}"
    );
    let refused = expand::block(quote!("name"));
    assert!(
        refused
            .to_string()
            .contains("expected the block to profile"),
        "{refused}"
    );
}
