//! Putting statements in front of others.

use proc_macro2::{Span, TokenStream};
use syn::{Block, Expr, ExprBlock, ExprMacro, ExprParen, MacroDelimiter, Stmt, token};

/// Puts `stmts` first in `block`, but for the items there: they stay in front, where they may
/// have been put for the sake of a lint.
pub(crate) fn declare_first(block: &mut Block, stmts: impl IntoIterator<Item = Stmt>) {
    let items = block
        .stmts
        .iter()
        .take_while(|stmt| matches!(stmt, Stmt::Item(_)))
        .count();
    block.stmts.splice(items..items, stmts);
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
