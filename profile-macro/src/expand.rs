//! Assembles what the attribute and `block!` expand to.

use proc_macro2::{Delimiter, Group, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Result;
use syn::parse::Parser;

use crate::args::Args;
use crate::function::{Body, Content, Function, Item};
use crate::instrument::instrument;
use crate::place::Extent;
use crate::region::Region;
use crate::site::Site;
use crate::validate::validate;
use crate::wrap::{declare_first, verbatim};

/// The function that the attribute is on, profiled; or an error and the item as it was, so that
/// no second error follows from the first.
pub(crate) fn attribute(args: TokenStream, item: TokenStream) -> TokenStream {
    try_attribute(args, item.clone()).unwrap_or_else(|error| {
        let error = error.into_compile_error();
        quote!(#item #error)
    })
}

fn try_attribute(args: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let (function, body) = validate(Item::parse(item)?)?;
    let args = Args::parse(args)?;
    let Function {
        head,
        start,
        fn_token,
        ..
    } = function;
    let extent = Extent::new(start, body.span_open(), body.span_close());
    let mut site = Site::new(&args, &extent, body.span());
    site.line = extent.line(fn_token).unwrap_or(site.line);
    let body = profiled(&body, site, &extent)?;
    Ok(quote!(#head #body))
}

/// The block of `block!`, profiled; or an error and the block as it was.
pub(crate) fn block(input: TokenStream) -> TokenStream {
    try_block(input.clone()).unwrap_or_else(|error| {
        let error = error.into_compile_error();
        match Region::braces_of(input) {
            Some(block) => quote!({ #error #block }),
            None => error,
        }
    })
}

fn try_block(input: TokenStream) -> Result<TokenStream> {
    let Region { name, args, braces } = Region::parse.parse2(input)?;
    let extent = Extent::new(Span::call_site(), braces.span_open(), braces.span_close());
    let mut site = Site::new(&args, &extent, braces.span());
    site.block = Some(name);
    Ok(profiled(&braces, site, &extent)?.into_token_stream())
}

/// The body with a frame around it and a probe before each statement.
fn profiled(braces: &Group, mut site: Site<'_>, extent: &Extent) -> Result<Group> {
    let krate = &site.args.krate;
    let frame = quote_spanned! {Span::mixed_site()=>
        let __memprof = #krate::__private::Frame::enter(&__MEMPROF_SITE);
    };
    let Body {
        inner_attrs,
        content,
    } = Body::parse(braces)?;
    let body = match content {
        Content::Known(mut block) => {
            if site.args.lines {
                site.lines = instrument(&mut block, extent);
            }
            declare_first(&mut block, [verbatim(quote!(#site #frame))]);
            let stmts = block.stmts;
            quote!(#(#inner_attrs)* #(#stmts)*)
        }
        Content::Unknown(tokens) => quote!(#(#inner_attrs)* #site #frame #tokens),
    };
    let mut profiled = Group::new(Delimiter::Brace, body);
    profiled.set_span(braces.span());
    Ok(profiled)
}
