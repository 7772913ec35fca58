//! What the attribute, `block!` and `assert_memory!` expand to where recording is compiled out (without
//! feature `record`): what the user wrote, after the same checks, so that what compiles without
//! recording compiles with it.

use proc_macro2::{Group, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Result;
use syn::spanned::Spanned;

use crate::args::Args;
use crate::body::{Body, in_braces};
use crate::expand;
use crate::function::Function;
use crate::skip;
use crate::wrap::{declare_first, verbatim};

/// What the attribute is on, as it was.
pub(crate) fn attribute(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute_with(function, args, item)
}

/// The block of `block!`.
pub(crate) fn block(input: TokenStream) -> TokenStream {
    expand::block_with(region, input)
}

/// The expression of `assert_memory!`, in braces.
pub(crate) fn assertion(input: TokenStream) -> TokenStream {
    expand::assertion_with(region, input)
}

fn function(args: &Args, function: &Function, braces: &Group) -> Result<TokenStream> {
    let head = &function.head;
    let body = match args.by {
        Some(_) => {
            let mut body = Body::parse(braces)?;
            declare_first(&mut body.block, [verbatim(mention_of_size(args))]);
            body.into_token_stream()
        }
        None => braces.to_token_stream(),
    };
    Ok(skip::remove_from_tokens(quote!(#head #body)))
}

/// The braces are ours to the compiler, which has an opinion on the user's where one expression stands
/// in them.
fn region(args: &Args, name: &str, braces: &Group) -> Result<TokenStream> {
    let mut body = expand::body_of_region(name, braces)?;
    if args.by.is_some() {
        declare_first(&mut body.block, [verbatim(mention_of_size(args))]);
    }
    let stmts = skip::remove_from_tokens(body.inside());
    Ok(in_braces(stmts, Span::mixed_site()).into_token_stream())
}

/// For `by`: has the expression checked, and what stands in it used, and evaluates nothing.
fn mention_of_size(args: &Args) -> TokenStream {
    let Args { krate, by, .. } = args;
    let own = Span::mixed_site().located_at(by.span());
    let value = quote_spanned!(own=> #krate::__private::size(&(#by)));
    quote_spanned! {Span::mixed_site()=>
        if false {
            let _ = #value;
        }
    }
}
