//! Any text as the attribute's arguments (the first line) and what it is put on (the rest): there is an
//! error in its place, or what comes out can be parsed. The macro's crate can be linked by nobody but the
//! compiler, so its files are taken in here: all that its `lib.rs` names.
#![no_main]
#![allow(dead_code, unused_imports, unreachable_pub)]

use libfuzzer_sys::fuzz_target;
use proc_macro2::TokenStream;

macro_rules! modules {
    ($($name:ident $path:literal)*) => { $(#[path = $path] mod $name;)* };
}

modules! {
    args "../../profile-macro/src/args.rs"
    body "../../profile-macro/src/body.rs"
    container "../../profile-macro/src/container.rs"
    expand "../../profile-macro/src/expand.rs"
    function "../../profile-macro/src/function.rs"
    future "../../profile-macro/src/future.rs"
    instrument "../../profile-macro/src/instrument.rs"
    leaving "../../profile-macro/src/leaving.rs"
    limit_guard "../../profile-macro/src/limit_guard.rs"
    limits "../../profile-macro/src/limits.rs"
    nearest "../../profile-macro/src/nearest.rs"
    parameters "../../profile-macro/src/parameters.rs"
    pattern "../../profile-macro/src/pattern.rs"
    place "../../profile-macro/src/place.rs"
    probe "../../profile-macro/src/probe.rs"
    region "../../profile-macro/src/region.rs"
    scopes "../../profile-macro/src/scopes.rs"
    site "../../profile-macro/src/site.rs"
    size "../../profile-macro/src/size.rs"
    skip "../../profile-macro/src/skip.rs"
    source "../../profile-macro/src/source.rs"
    statement "../../profile-macro/src/statement.rs"
    validate "../../profile-macro/src/validate.rs"
    value "../../profile-macro/src/value.rs"
    wrap "../../profile-macro/src/wrap.rs"
}

fuzz_target!(|data: &[u8]| {
    let Ok(text) = str::from_utf8(data) else {
        return;
    };
    let (args, item) = text.split_once('\n').unwrap_or((text, "fn f() {}"));
    if let (Ok(args), Ok(item)) = (args.parse(), item.parse::<TokenStream>()) {
        let was_an_item = syn::parse2::<syn::Item>(item.clone()).is_ok();
        let made = expand::attribute(args, item);
        if was_an_item {
            syn::parse2::<syn::File>(made).expect("items");
        }
    }
    // Positions of all that was ever parsed are kept otherwise.
    proc_macro2::extra::invalidate_current_thread_spans();
});
