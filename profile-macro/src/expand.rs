//! Assembles what the attribute and `block!` expand to.

use proc_macro2::{Group, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::parse::Parser;
use syn::{Error, Result};

use crate::args::Args;
use crate::body::{Body, in_braces};
use crate::container;
use crate::function::{Function, Item, OfFunction};
use crate::future;
use crate::limit_guard;
use crate::place::Extent;
use crate::probe;
use crate::region::{Assertion, Region};
use crate::site::Site;
use crate::skip;
use crate::validate::{not_profilable, validate};
use crate::wrap::{declare_first, verbatim};

/// How reports call what stands in it.
const ASSERTION: &str = "assert_memory!";

/// What the attribute is on, profiled; or an error and the item as it was, so that no second
/// error follows from the first.
pub(crate) fn attribute(args: TokenStream, item: TokenStream) -> TokenStream {
    attribute_with(function, args, item)
}

/// What becomes of a region, which has arguments, a name and braces.
pub(crate) type OfRegion = fn(&Args, &str, &Group) -> Result<TokenStream>;

/// The same with `each` done to every function.
pub(crate) fn attribute_with(
    each: OfFunction,
    args: TokenStream,
    item: TokenStream,
) -> TokenStream {
    try_attribute(each, args, item.clone()).unwrap_or_else(|error| {
        let error = error.into_compile_error();
        let item = skip::remove_from_tokens(item);
        quote!(#item #error)
    })
}

fn try_attribute(each: OfFunction, args: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let kind = Item::parse(item.clone())?;
    let args = Args::parse(args);
    match kind {
        Item::Function(parts) => {
            let body = validate(&parts)?;
            each(&args?, &parts, &body)
        }
        Item::Other(word) if container::is_one(&word) => {
            container::expand(each, &args?, item, &word)
        }
        Item::Other(word) => Err(not_profilable(&word)),
    }
}

/// A function, profiled.
pub(crate) fn function(args: &Args, function: &Function, braces: &Group) -> Result<TokenStream> {
    let extent = Extent::new(function.start, braces.span_open(), braces.span_close());
    let mut site = Site::new(args, &extent, braces.span());
    site.line = extent.line(function.fn_token).unwrap_or(site.line);
    let mut body = Body::parse(braces)?;
    if function.asyncness.is_some() {
        future::async_fn(&mut body, function.signature.as_ref(), site, &extent);
    } else if future::is_boxed(&body.block) {
        future::boxed(&mut body, site, &extent);
    } else {
        in_frame(&mut body, site, &extent, true);
    }
    let head = &function.head;
    Ok(quote!(#head #body))
}

/// The block of `block!`, profiled; or an error and the block as it was.
pub(crate) fn block(input: TokenStream) -> TokenStream {
    block_with(region, input)
}

/// The same with `each` done to it.
pub(crate) fn block_with(each: OfRegion, input: TokenStream) -> TokenStream {
    try_block(each, input.clone()).unwrap_or_else(|error| {
        let error = error.into_compile_error();
        match Region::braces_of(input) {
            Some(braces) => {
                let stmts = skip::remove_from_tokens(braces.stream());
                in_braces(quote!(#error #stmts), braces.span()).into_token_stream()
            }
            None => error,
        }
    })
}

fn try_block(each: OfRegion, input: TokenStream) -> Result<TokenStream> {
    let Region { name, args, braces } = Region::parse.parse2(input)?;
    each(&args, &name, &braces)
}

fn region(args: &Args, name: &str, braces: &Group) -> Result<TokenStream> {
    let extent = Extent::new(Span::call_site(), braces.span_open(), braces.span_close());
    let mut site = Site::new(args, &extent, braces.span());
    site.block = Some(name.to_owned());
    let mut body = body_of_region(name, braces)?;
    in_frame(&mut body, site, &extent, false);
    Ok(body.into_token_stream())
}

/// The statements of a region, in which nothing is awaited.
pub(crate) fn body_of_region(name: &str, braces: &Group) -> Result<Body> {
    let body = Body::parse(braces)?;
    let Some(span) = future::first_await(&body.block) else {
        return Ok(body);
    };
    let its_macro = match name {
        ASSERTION => ASSERTION,
        _ => "block!",
    };
    let message = format!(
        "`{its_macro}` cannot measure what is suspended; put the region into an `async fn` with \
         `#[profile_memory]`"
    );
    Err(Error::new(span, message))
}

/// The expression of `assert_memory!`, profiled like the block of `block!`.
pub(crate) fn assertion(input: TokenStream) -> TokenStream {
    assertion_with(region, input)
}

/// The same with `each` done to it.
pub(crate) fn assertion_with(each: OfRegion, input: TokenStream) -> TokenStream {
    Assertion::parse
        .parse2(input)
        .and_then(|Assertion { args, braces }| each(&args, ASSERTION, &braces))
        .unwrap_or_else(Error::into_compile_error)
}

/// Puts a probe before each statement, and in front of all of them a frame, which is closed when
/// they are left, in whatever way. If there are limits they are checked after that.
fn in_frame(body: &mut Body, mut site: Site<'_>, extent: &Extent, own_returns: bool) {
    site.lines = body.instrument(site.args, extent);
    let args = site.args;
    let frame = probe::frame(&args.krate);
    let (before, after) = probe::size(&args.krate, args.by.as_ref());
    let probe = (!site.lines.is_empty()).then(probe::of_frame);
    let site = site.into_token_stream();
    let never_ends = limit_guard::never_ends(body.block.stmts.last());
    // The value of a region may refer to its temporaries.
    if own_returns {
        body.end_temporaries();
    }
    if args.limits.is_empty() {
        let opening = quote!(#site #before #frame #after #probe);
        declare_first(&mut body.block, [verbatim(opening)]);
    } else {
        declare_first(
            &mut body.block,
            [verbatim(quote!(#before #frame #after #probe))],
        );
        limit_guard::guard(body, site, &args.krate, own_returns, never_ends);
    }
}
