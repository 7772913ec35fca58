//! The statements of a function or region, and their instrumentation.

use proc_macro2::{Delimiter, Group, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Block, Result, token};

use crate::args::Args;
use crate::instrument::instrument;
use crate::place::Extent;
use crate::skip;
use crate::wrap::{end_temporaries, verbatim};

/// What is between the braces of a function, or of `block!`.
pub(crate) struct Body {
    pub(crate) inner_attrs: Vec<Attribute>,
    pub(crate) block: Block,
    /// Whether syn knows the syntax of the statements. If not, they are one piece without lines.
    known: bool,
}

impl Body {
    pub(crate) fn parse(braces: &Group) -> Result<Body> {
        let split = |input: ParseStream<'_>| {
            let inner_attrs = input.call(Attribute::parse_inner)?;
            Ok((inner_attrs, input.parse::<TokenStream>()?))
        };
        let (inner_attrs, rest) = split.parse2(braces.stream())?;
        let stmts = Block::parse_within.parse2(rest.clone());
        let known = stmts.is_ok();
        let block = Block {
            brace_token: token::Brace {
                span: braces.delim_span(),
            },
            stmts: stmts.unwrap_or_else(|_| vec![verbatim(rest)]),
        };
        Ok(Body {
            inner_attrs,
            block,
            known,
        })
    }

    /// Puts a probe before each statement, if that was asked for, and returns the lines.
    pub(crate) fn instrument(&mut self, args: &Args, extent: &Extent) -> Vec<u32> {
        if self.known {
            instrument_block(&mut self.block, args, extent)
        } else {
            Vec::new()
        }
    }

    /// Has the temporaries of its value dropped before what is declared in front of it from now on.
    pub(crate) fn end_temporaries(&mut self) {
        if self.known {
            end_temporaries(&mut self.block);
        }
    }

    /// What stands between its braces.
    pub(crate) fn inside(&self) -> TokenStream {
        let Body {
            inner_attrs, block, ..
        } = self;
        let stmts = &block.stmts;
        quote!(#(#inner_attrs)* #(#stmts)*)
    }
}

/// The same for a block within the body.
pub(crate) fn instrument_block(block: &mut Block, args: &Args, extent: &Extent) -> Vec<u32> {
    let lines = match args.lines {
        true => instrument(block, extent, &args.krate),
        false => Vec::new(),
    };
    skip::remove_from(block);
    lines
}

impl ToTokens for Body {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let span = self.block.brace_token.span.join();
        in_braces(self.inside(), span).to_tokens(tokens);
    }
}

/// A block that the compiler takes for the user's own.
pub(crate) fn in_braces(tokens: TokenStream, span: Span) -> Group {
    let mut braces = Group::new(Delimiter::Brace, tokens);
    braces.set_span(span);
    braces
}
