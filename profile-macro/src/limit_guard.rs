//! The guard around a body with limits: where the call's value can still be dropped when the call took
//! too much.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::visit_mut::{self, VisitMut};
use syn::{Block, Expr, ExprBreak, ExprReturn, Item, Lifetime, Path, Stmt, Token};

use crate::body::Body;
use crate::wrap::{items_in_front, verbatim};

/// Puts the statements of `body`, which begin with its frame, where their value can be dropped if the
/// call turns out to have taken too much. A panic while locals are dropped would leak it.
///
/// `site` comes first. What leaves by `return` passes by the check as well; what leaves by `?`, or by a
/// `return` inside a macro, is met by the guard's own end.
/// `never_ends`: see [`never_ends`], of the body as it was.
pub(crate) fn guard(
    body: &mut Body,
    site: TokenStream,
    krate: &Path,
    own_returns: bool,
    never_ends: bool,
) {
    let span = Span::mixed_site();
    let label = Lifetime::new("'__memprof", span);
    let around = Block {
        brace_token: body.block.brace_token,
        stmts: Vec::new(),
    };
    let mut block = std::mem::replace(&mut body.block, around);
    let items = items_in_front(&block);
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
pub(crate) fn never_ends(last: Option<&Stmt>) -> bool {
    match last {
        Some(Stmt::Macro(_)) => true,
        Some(Stmt::Expr(expr, _)) => matches!(expr, Expr::Macro(_) | Expr::Loop(_)),
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
