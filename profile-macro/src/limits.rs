//! Limits on what a call may take: the arguments `max_…`, and what they become.

use proc_macro2::{Literal, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::visit_mut::{self, VisitMut};
use syn::{Block, Expr, ExprBreak, ExprReturn, Item, Lifetime, Path, Stmt, Token};

use crate::body::Body;
use crate::wrap::verbatim;

/// Limits as they were given.
#[derive(Default)]
pub(crate) struct Limits {
    peak: Option<u64>,
    net: Option<u64>,
    heap_peak: Option<u64>,
    leak: Option<u64>,
    allocated: Option<u64>,
    pub(crate) allocations: Option<u64>,
    pub(crate) growth: Option<f64>,
    /// Only report what is too much.
    pub(crate) warn: bool,
}

impl Limits {
    /// Where the limit in bytes belongs that is called `name`.
    pub(crate) fn bytes(&mut self, name: &str) -> &mut Option<u64> {
        match name {
            "max_peak" => &mut self.peak,
            "max_net" => &mut self.net,
            "max_heap_peak" => &mut self.heap_peak,
            "max_leak" => &mut self.leak,
            _ => &mut self.allocated,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.growth.is_none() && self.on_one_call().all(|(_, limit)| limit.is_none())
    }

    fn on_one_call(&self) -> impl Iterator<Item = (&'static str, Option<u64>)> {
        [
            ("peak", self.peak),
            ("net", self.net),
            ("heap_peak", self.heap_peak),
            ("leak", self.leak),
            ("allocated", self.allocated),
            ("allocations", self.allocations),
        ]
        .into_iter()
    }

    /// As the runtime's value.
    pub(crate) fn to_value(&self, krate: &Path) -> TokenStream {
        let span = Span::mixed_site();
        let given = self.on_one_call();
        let each = given.filter_map(|(name, limit)| {
            let limit = Literal::u64_unsuffixed(limit?);
            let method = proc_macro2::Ident::new(name, span);
            Some(quote_spanned!(span=> .#method(#limit)))
        });
        let growth = self.growth.map(|exponent| {
            let exponent = Literal::f64_unsuffixed(exponent);
            quote_spanned!(span=> .growth(#exponent))
        });
        let warn = self.warn.then(|| quote_spanned!(span=> .warn()));
        quote_spanned!(span=> #krate::__private::Limits::NONE #(#each)* #growth #warn)
    }
}

/// Puts the statements of `body`, which begin with its frame, where their value can be dropped if the
/// call turns out to have taken too much. A panic while locals are dropped would leak it.
///
/// `site` comes first. What leaves by `return` passes by the check as well; what leaves by `?`, or by a
/// `return` inside a macro, is met by the guard's own end.
pub(crate) fn guard(body: &mut Body, site: TokenStream, krate: &Path, own_returns: bool) {
    let span = Span::mixed_site();
    let label = Lifetime::new("'__memprof", span);
    let around = Block {
        brace_token: body.block.brace_token,
        stmts: Vec::new(),
    };
    let mut block = std::mem::replace(&mut body.block, around);
    let items = block
        .stmts
        .iter()
        .take_while(|stmt| matches!(stmt, Stmt::Item(_)))
        .count();
    let mut returns = Returns {
        label: &label,
        found: false,
    };
    if own_returns {
        returns.visit_block_mut(&mut block);
    }
    let label = returns.found.then(|| quote!(#label:));
    body.block.stmts = block.stmts.drain(..items).collect();
    body.block.stmts.push(verbatim(quote_spanned! {span=>
        #site
        let __memprof_limits = #krate::__private::LimitGuard::new(&__MEMPROF_SITE);
    }));
    let never_ends = block.stmts.last().is_some_and(never_ends);
    let within = quote_spanned! {span=>
        #krate::__private::within(&__memprof_limits, #label #block)
    };
    let within = match never_ends {
        true => quote_spanned!(span=> match () { #[allow(unreachable_code)] () => #within }),
        false => within,
    };
    body.block
        .stmts
        .push(Stmt::Expr(Expr::Verbatim(within), None));
}

/// Whether a body that ends so may have no end that is reached, which the user is not to hear of.
fn never_ends(last: &Stmt) -> bool {
    match last {
        Stmt::Macro(_) => true,
        Stmt::Expr(expr, _) => matches!(expr, Expr::Macro(_) | Expr::Loop(_)),
        _ => false,
    }
}

/// Makes each `return` of the function itself the end of a block.
struct Returns<'a> {
    label: &'a Lifetime,
    found: bool,
}

impl VisitMut for Returns<'_> {
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        // What returns in there returns from there.
        if matches!(expr, Expr::Closure(_) | Expr::Async(_) | Expr::Const(_)) {
            return;
        }
        visit_mut::visit_expr_mut(self, expr);
        if let Expr::Return(ExprReturn {
            attrs,
            return_token,
            expr: value,
        }) = expr
        {
            self.found = true;
            *expr = Expr::Break(ExprBreak {
                attrs: std::mem::take(attrs),
                break_token: Token![break](return_token.span),
                label: Some(self.label.clone()),
                expr: value.take(),
            });
        }
    }

    fn visit_item_mut(&mut self, _: &mut Item) {}
}
