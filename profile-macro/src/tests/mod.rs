//! What functions look like after expansion.

mod diagnostics;
mod expansion;
mod off;
mod shapes;

use expect_test::Expect;
use proc_macro2::TokenStream;
use quote::quote;

use crate::args::Args;
use crate::body::Body;
use crate::function::Item;
use crate::place::Extent;
use crate::validate::validate;

/// Compares the instrumented body of a function, without the static and the frame around it.
#[track_caller]
fn shows(source: &str, expected: Expect) {
    let item: TokenStream = source.trim().parse().expect("tokens");
    let item = Item::parse(item).expect("an item");
    let Item::Function(function) = item else {
        panic!("not a function")
    };
    let braces = validate(&function).expect("a function with a body");
    let mut body = Body::parse(&braces).expect("a body");
    let extent = Extent::new(function.start, braces.span_open(), braces.span_close());
    let args = Args::parse(TokenStream::new()).expect("no arguments");
    let lines = body.instrument(&args, &extent);
    let head = function.head;
    let pretty = pretty(quote!(#head #body));
    expected.assert_eq(&format!("{pretty}// lines {lines:?}\n"));
}

fn pretty(tokens: TokenStream) -> String {
    prettyplease::unparse(&syn::parse2(tokens).expect("the expansion is Rust"))
}

/// The messages of the errors in `tokens`, and what is there beside.
fn errors(tokens: TokenStream) -> (Vec<String>, String) {
    let mut file: syn::File = syn::parse2(tokens).expect("the expansion is Rust");
    let (errors, rest): (Vec<_>, Vec<_>) = file.items.into_iter().partition(is_error);
    file.items = rest;
    let message = |item: &syn::Item| match item {
        syn::Item::Macro(item) => item
            .mac
            .parse_body::<syn::LitStr>()
            .expect("a text")
            .value(),
        _ => unreachable!("is_error has seen it"),
    };
    (
        errors.iter().map(message).collect(),
        prettyplease::unparse(&file),
    )
}

fn is_error(item: &syn::Item) -> bool {
    matches!(item, syn::Item::Macro(item) if item.mac.path.segments.last()
        .is_some_and(|segment| segment.ident == "compile_error"))
}
