//! Assembles what the attribute and `block!` expand to.

use proc_macro2::{Group, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::parse::Parser;
use syn::{Error, Result};

use crate::args::Args;
use crate::body::{Body, in_braces};
use crate::container;
use crate::function::{Function, Item};
use crate::future;
use crate::place::Extent;
use crate::region::Region;
use crate::site::Site;
use crate::skip;
use crate::validate::{not_profilable, validate};
use crate::wrap::{declare_first, verbatim};

/// What the attribute is on, profiled; or an error and the item as it was, so that no second
/// error follows from the first.
pub(crate) fn attribute(args: TokenStream, item: TokenStream) -> TokenStream {
    try_attribute(args, item.clone()).unwrap_or_else(|error| {
        let error = error.into_compile_error();
        let item = skip::remove_from_tokens(item);
        quote!(#item #error)
    })
}

fn try_attribute(args: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let kind = Item::parse(item.clone())?;
    let args = Args::parse(args);
    match kind {
        Item::Function(parts) => {
            let body = validate(&parts)?;
            function(&args?, &parts, &body)
        }
        Item::Other(word) if container::is_one(&word) => container::expand(&args?, item, &word),
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
        in_frame(&mut body, site, &extent);
    }
    let head = &function.head;
    Ok(quote!(#head #body))
}

/// The block of `block!`, profiled; or an error and the block as it was.
pub(crate) fn block(input: TokenStream) -> TokenStream {
    try_block(input.clone()).unwrap_or_else(|error| {
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

fn try_block(input: TokenStream) -> Result<TokenStream> {
    let Region { name, args, braces } = Region::parse.parse2(input)?;
    let extent = Extent::new(Span::call_site(), braces.span_open(), braces.span_close());
    let mut site = Site::new(&args, &extent, braces.span());
    site.block = Some(name);
    let mut body = Body::parse(&braces)?;
    if let Some(span) = future::first_await(&body.block) {
        return Err(Error::new(
            span,
            "`block!` cannot measure what is suspended; put the region into an `async fn` with \
             `#[profile_memory]`",
        ));
    }
    in_frame(&mut body, site, &extent);
    Ok(body.into_token_stream())
}

/// Puts a probe before each statement, and in front of all of them a frame, which is closed when
/// they are left, in whatever way.
fn in_frame(body: &mut Body, mut site: Site<'_>, extent: &Extent) {
    site.lines = body.instrument(site.args, extent);
    let krate = &site.args.krate;
    let frame = quote_spanned! {Span::mixed_site()=>
        #site
        let __memprof = #krate::__private::Frame::enter(&__MEMPROF_SITE);
    };
    declare_first(&mut body.block, [verbatim(frame)]);
}
