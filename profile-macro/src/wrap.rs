//! Putting statements in front of others.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::{
    Arm, Block, Expr, ExprBlock, ExprMacro, ExprMatch, ExprParen, MacroDelimiter, Pat, Stmt, Token,
    token,
};

/// Puts `stmts` first in `block`, but for the items there: they stay in front, where they may
/// have been put for the sake of a lint.
pub(crate) fn declare_first(block: &mut Block, stmts: impl IntoIterator<Item = Stmt>) {
    let items = items_in_front(block);
    block.stmts.splice(items..items, stmts);
}

/// How many items stand first in `block`.
pub(crate) fn items_in_front(block: &Block) -> usize {
    let stmts = block.stmts.iter();
    stmts
        .take_while(|stmt| matches!(stmt, Stmt::Item(_)))
        .count()
}

/// Puts the statements of a function's body, but for the items in front, into the arm of a match. What the last
/// expression has made for a moment is dropped at the end of an arm: after the body's locals, as it was before, and
/// before what is declared in front of it. (Since edition 2024 it is dropped before the locals in any case.)
pub(crate) fn end_temporaries(block: &mut Block) {
    if !may_have_temporaries(block.stmts.last()) {
        return;
    }
    let stmts = block.stmts.split_off(items_in_front(block));
    let span = Span::mixed_site();
    let body = ExprBlock {
        attrs: Vec::new(),
        label: None,
        block: Block {
            brace_token: block.brace_token,
            stmts,
        },
    };
    let arm = Arm {
        attrs: Vec::new(),
        pat: Pat::Verbatim(quote_spanned!(span=> ())),
        fat_arrow_token: Token![=>](span),
        body: Box::new(Expr::Block(body)),
        comma: None,
    };
    let only = ExprMatch {
        attrs: Vec::new(),
        match_token: Token![match](span),
        expr: Box::new(Expr::Verbatim(quote_spanned!(span=> ()))),
        brace_token: token::Brace(span),
        arms: vec![arm],
    };
    block.stmts.push(Stmt::Expr(Expr::Match(only), None));
}

/// Whether the value of a body that ends so is one that may come with temporaries.
fn may_have_temporaries(last: Option<&Stmt>) -> bool {
    match last {
        Some(Stmt::Expr(value, None)) => !matches!(value, Expr::Path(_) | Expr::Lit(_)),
        Some(Stmt::Macro(last)) => last.semi_token.is_none(),
        _ => false,
    }
}

/// `expr` as a block of its own with `before` in front of it.
pub(crate) fn wrapped(before: Vec<Stmt>, expr: Expr) -> Expr {
    let brace_token = token::Brace(Span::mixed_site());
    let mut stmts = before;
    stmts.push(Stmt::Expr(as_value(expr), None));
    Expr::Block(ExprBlock {
        attrs: Vec::new(),
        label: None,
        block: Block { brace_token, stmts },
    })
}

/// `m! { … }` at the end of a block is expanded to statements; in brackets it stays the
/// expression that it was.
fn as_value(expr: Expr) -> Expr {
    match expr {
        Expr::Macro(ExprMacro { ref mac, .. })
            if matches!(mac.delimiter, MacroDelimiter::Brace(_)) =>
        {
            let paren_token = token::Paren(Span::mixed_site());
            Expr::Paren(ExprParen {
                attrs: Vec::new(),
                paren_token,
                expr: Box::new(expr),
            })
        }
        expr => expr,
    }
}

/// Tokens of our own as a statement.
pub(crate) fn verbatim(tokens: TokenStream) -> Stmt {
    Stmt::Expr(Expr::Verbatim(tokens), None)
}
