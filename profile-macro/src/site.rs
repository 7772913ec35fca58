//! The static that describes a profiled function or region to the runtime.

use proc_macro2::{Literal, Span, TokenStream};
use quote::{ToTokens, quote_spanned};

use syn::Expr;
use syn::spanned::Spanned;

use crate::args::Args;
use crate::place::Extent;
use crate::source::Source;

/// What a static says about its function or region, beside the arguments.
pub(crate) struct Site<'a> {
    pub(crate) args: &'a Args,
    /// The name of a region; none for a function.
    pub(crate) block: Option<String>,
    pub(crate) line: u32,
    pub(crate) file: &'a str,
    pub(crate) source: Source,
    pub(crate) lines: Vec<u32>,
}

impl<'a> Site<'a> {
    pub(crate) fn new(args: &'a Args, extent: &'a Extent, body: Span) -> Site<'a> {
        Site {
            args,
            block: None,
            line: extent.first_line(),
            file: extent.file(),
            source: Source::of(extent, body),
            lines: Vec::new(),
        }
    }
}

impl Site<'_> {
    /// What is to be known of each call by itself: the size it had, and whether it kept to its limits.
    fn per_call(&self) -> Option<TokenStream> {
        let Args {
            krate, limits, by, ..
        } = self.args;
        if by.is_none() && limits.is_empty() {
            return None;
        }
        let limits = limits.to_value(krate);
        let by = option(by.as_ref().map(text_of).as_deref());
        Some(quote_spanned!(Span::mixed_site()=> .per_call(#limits, #by)))
    }
}

/// As it was written, where the compiler still knows.
fn text_of(expr: &Expr) -> String {
    let source = expr.span().source_text();
    source.unwrap_or_else(|| expr.to_token_stream().to_string())
}

impl ToTokens for Site<'_> {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let span = Span::mixed_site();
        let krate = &self.args.krate;
        let label = option(self.args.name.as_ref().map(syn::LitStr::value).as_deref());
        let block = option(self.block.as_deref());
        let file = self.file;
        let line = Literal::u32_unsuffixed(self.line);
        let interval_ns = Literal::u64_unsuffixed(self.args.interval_ns);
        let source = &self.source.text;
        let source_line = Literal::u32_unsuffixed(self.source.first_line);
        let lines = self.lines.iter().copied().map(Literal::u32_unsuffixed);
        let per_call = self.per_call();
        tokens.extend(quote_spanned! {span=>
            static __MEMPROF_SITE: #krate::__private::Site =
                #krate::__private::Site::new(#krate::__private::SiteSpec {
                    name: || {
                        fn __memprof_here() {}
                        #krate::__private::name_of(&__memprof_here)
                    },
                    label: #label,
                    block: #block,
                    file: #file,
                    line: #line,
                    interval_ns: #interval_ns,
                    source: #source,
                    source_line: #source_line,
                    lines: &[#(#lines),*],
                })#per_call;
        });
    }
}

fn option(text: Option<&str>) -> TokenStream {
    let span = Span::mixed_site();
    match text {
        Some(text) => quote_spanned!(span=> ::core::option::Option::Some(#text)),
        None => quote_spanned!(span=> ::core::option::Option::None),
    }
}
