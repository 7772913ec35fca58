//! The calls that instrumentation inserts, and the set of lines that they refer to.
//!
//! Every name is made with `Span::mixed_site`, so that no variable of the user's can be meant by
//! it, nor it by one of the user's.

use proc_macro2::{Literal, Span, TokenStream};
use quote::quote_spanned;
use syn::spanned::Spanned;
use syn::{Attribute, Expr, Ident, Path, Stmt};

use crate::wrap::verbatim;

/// The executable lines of a body. Probes name a line by its place in this list.
#[derive(Default)]
pub(crate) struct LineTable {
    sorted: Vec<u32>,
    probes: usize,
    /// Whether the probes that are made now are in a loop, or in a closure, which others may call in one.
    pub(crate) hot: bool,
}

impl LineTable {
    /// The place of `line`, which is entered if it is new. Places are final once every line has
    /// been entered.
    fn place(&mut self, line: u32) -> Literal {
        self.probes += 1;
        let place = self.sorted.binary_search(&line).unwrap_or_else(|place| {
            self.sorted.insert(place, line);
            place
        });
        Literal::usize_unsuffixed(place)
    }

    /// How many probes have been made.
    pub(crate) fn probes(&self) -> usize {
        self.probes
    }

    pub(crate) fn into_sorted(self) -> Vec<u32> {
        self.sorted
    }

    /// Before a statement that begins at `start`: its line opens.
    pub(crate) fn line(&mut self, line: u32, start: Span, cfg: &[Attribute]) -> Stmt {
        let place = self.place(line);
        let probe = self.probe();
        verbatim(quote_spanned!(beside(start)=> #(#cfg)* __memprof.#probe(#place);))
    }

    /// Before the value of a block, which begins at `start`: the closing line opens once the
    /// value is made.
    pub(crate) fn end(&mut self, line: u32, start: Span) -> Stmt {
        let place = self.place(line);
        verbatim(quote_spanned!(beside(start)=> let __memprof_end = __memprof.end(#place);))
    }

    /// The same at the end of a block that has no value. What comes before may not return, which
    /// the user is not to hear of.
    pub(crate) fn end_last(&mut self, line: u32) -> Stmt {
        let place = self.place(line);
        let probe = self.probe();
        verbatim(quote_spanned! {Span::mixed_site()=>
            #[allow(unreachable_code)]
            __memprof.#probe(#place);
        })
    }

    fn probe(&self) -> Ident {
        Ident::new(
            if self.hot { "hot_line" } else { "line" },
            Span::mixed_site(),
        )
    }

    /// First in a loop's body: the header's line opens again when the body is done; `is_left` where there
    /// are jumps in it after which it does not.
    pub(crate) fn again(&mut self, line: u32, is_left: bool) -> Stmt {
        let place = self.place(line);
        let guard = Ident::new(if is_left { "again" } else { "each" }, Span::mixed_site());
        verbatim(
            quote_spanned!(Span::mixed_site()=> let __memprof_again = __memprof.#guard(#place);),
        )
    }

    /// First in a block inside of a larger expression: the line of the whole opens again when
    /// the block is done.
    pub(crate) fn back(&mut self, line: u32) -> Stmt {
        let place = self.place(line);
        verbatim(quote_spanned!(Span::mixed_site()=> let __memprof_back = __memprof.back(#place);))
    }
}

/// A span for names that mean ours, at a place of the user's: if a statement is dead, the compiler
/// says so of the probe before it, and it has to say so there.
fn beside(start: Span) -> Span {
    Span::mixed_site().located_at(start)
}

/// Before a statement that leaves `loops` loops without evaluating their headers again.
pub(crate) fn leaving(loops: usize, cfg: &[Attribute]) -> Stmt {
    let loops = Literal::usize_unsuffixed(loops);
    verbatim(quote_spanned!(Span::mixed_site()=> #(#cfg)* __memprof.leaving(#loops);))
}

/// First in a body: opens its call, until it is left.
pub(crate) fn frame(krate: &Path) -> TokenStream {
    quote_spanned! {Span::mixed_site()=>
        let __memprof_frame = #krate::__private::Frame::enter(&__MEMPROF_SITE);
    }
}

/// After a frame: what the lines are counted through.
pub(crate) fn of_frame() -> TokenStream {
    quote_spanned!(Span::mixed_site()=> let __memprof = __memprof_frame.probe();)
}

/// First in a closure's body: finds the call that the closure belongs to, if this thread has it.
pub(crate) fn closure_frame(krate: &Path) -> Stmt {
    let probe = of_frame();
    verbatim(quote_spanned! {Span::mixed_site()=>
        let __memprof_frame = #krate::__private::ClosureFrame::enter(&__MEMPROF_SITE);
        #probe
    })
}

/// First in a future: its probes, which find the call through the thread that polls it.
pub(crate) fn async_probe(krate: &Path) -> Stmt {
    verbatim(quote_spanned! {Span::mixed_site()=>
        let __memprof = #krate::__private::AsyncProbe::new(&__MEMPROF_SITE);
    })
}

/// An async block as a part of the call that it is written in.
pub(crate) fn part(krate: &Path, future: &Expr) -> Expr {
    Expr::Verbatim(quote_spanned! {Span::mixed_site()=>
        #krate::__private::part(&__MEMPROF_SITE, #future)
    })
}

/// For `by`: what comes before the call begins, and what comes right after.
pub(crate) fn size(krate: &Path, by: Option<&Expr>) -> (TokenStream, TokenStream) {
    let Some(expr) = by else {
        return (TokenStream::new(), TokenStream::new());
    };
    let span = Span::mixed_site();
    // What is wrong with the expression is said at the expression.
    let own = span.located_at(expr.span());
    let value = quote_spanned!(own=> #krate::__private::size(&(#expr)));
    (
        quote_spanned!(span=> let __memprof_by = #value;),
        quote_spanned!(span=> #krate::__private::by(&__MEMPROF_SITE, __memprof_by);),
    )
}
