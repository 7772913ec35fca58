//! A statement with what has to be known of it before its block is instrumented.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Expr, Macro, Path, Stmt};

use crate::place::{Extent, Lines};
use crate::skip;

/// A statement, its lines, the `#[cfg]` attributes that a probe for it has to carry, and whether
/// it says `#[memprof(skip)]`.
pub(crate) struct Statement {
    pub(crate) stmt: Stmt,
    pub(crate) lines: Lines,
    pub(crate) cfg: Vec<Attribute>,
    pub(crate) skip: bool,
}

impl Statement {
    pub(crate) fn new(stmt: Stmt, extent: &Extent) -> Statement {
        let tokens = stmt.to_token_stream();
        let lines = extent.lines(&tokens);
        let attrs = outer_attributes(tokens);
        Statement {
            stmt,
            lines,
            skip: skip::is_in(&attrs),
            cfg: only_cfg(attrs),
        }
    }

    /// Whether there is anything to observe in running it.
    pub(crate) fn is_executable(&self) -> bool {
        match &self.stmt {
            Stmt::Local(local) => local.init.is_some(),
            Stmt::Item(_) => false,
            Stmt::Expr(Expr::Verbatim(tokens), _) => !tokens.is_empty(),
            Stmt::Expr(..) | Stmt::Macro(_) => true,
        }
    }

    pub(crate) fn is_item(&self) -> bool {
        matches!(self.stmt, Stmt::Item(_))
    }

    pub(crate) fn is_let(&self) -> bool {
        matches!(self.stmt, Stmt::Local(_))
    }

    /// Whether it is plain to see that nothing after it is ever run. Dead statements are left
    /// alone, so that the compiler warns of them as it would have.
    pub(crate) fn diverges(&self) -> bool {
        self.cfg.is_empty()
            && match &self.stmt {
                Stmt::Expr(expr, _) => expr_diverges(expr),
                Stmt::Macro(stmt) => macro_diverges(&stmt.mac),
                Stmt::Local(_) | Stmt::Item(_) => false,
            }
    }

    /// Whether it is over at its semicolon, whatever is configured: it is no value, what it holds for a
    /// moment is gone, and what follows is run.
    pub(crate) fn is_closed(&self) -> bool {
        let may_end = self.cfg.is_empty() && !self.diverges();
        may_end && self.is_executable() && !self.can_be_value()
    }

    /// Whether it is the value of its block when nothing follows.
    fn can_be_value(&self) -> bool {
        match &self.stmt {
            Stmt::Expr(_, semi) => semi.is_none(),
            Stmt::Macro(stmt) => stmt.semi_token.is_none(),
            Stmt::Local(_) | Stmt::Item(_) => false,
        }
    }
}

/// Where the scope-end guard goes: the index of the statement that it precedes.
///
/// It precedes the block's value, so that it is dropped after the value is made and before the
/// variables are. With `#[cfg]` on the last statements any of them may vanish, and the one before
/// then becomes the value.
pub(crate) fn end_of_scope(statements: &[Statement]) -> usize {
    let diverging = statements.iter().position(Statement::diverges);
    let Some(last) = diverging.or_else(|| statements.iter().rposition(|stmt| !stmt.is_item()))
    else {
        return statements.len();
    };
    let trailing_cfg = statements[..=last]
        .iter()
        .rev()
        .take_while(|stmt| !stmt.cfg.is_empty());
    match last + 1 - trailing_cfg.count() {
        0 => 0,
        after if after == last + 1 && !statements[last].is_let() => last,
        after if statements[after - 1].can_be_value() => after - 1,
        after => after,
    }
}

/// The `#[cfg(…)]` attributes of a statement.
pub(crate) fn cfg_of(stmt: &Stmt) -> Vec<Attribute> {
    only_cfg(outer_attributes(stmt.to_token_stream()))
}

fn only_cfg(mut attrs: Vec<Attribute>) -> Vec<Attribute> {
    attrs.retain(|attr| attr.path().is_ident("cfg"));
    attrs
}

/// The attributes that the tokens of a statement begin with.
fn outer_attributes(tokens: TokenStream) -> Vec<Attribute> {
    let first = tokens.clone().into_iter().next();
    if !matches!(first, Some(TokenTree::Punct(punct)) if punct.as_char() == '#') {
        return Vec::new();
    }
    let parse = |input: ParseStream<'_>| {
        let attrs = input.call(Attribute::parse_outer)?;
        input.parse::<TokenStream>()?;
        Ok(attrs)
    };
    parse.parse2(tokens).unwrap_or_default()
}

fn expr_diverges(expr: &Expr) -> bool {
    match expr {
        Expr::Return(_) | Expr::Break(_) | Expr::Continue(_) => true,
        Expr::Macro(expr) => macro_diverges(&expr.mac),
        Expr::Call(call) => matches!(&*call.func, Expr::Path(func) if ends_process(&func.path)),
        _ => false,
    }
}

fn macro_diverges(mac: &Macro) -> bool {
    let diverging = ["panic", "unreachable", "todo", "unimplemented"];
    let name = mac.path.segments.last();
    name.is_some_and(|name| diverging.iter().any(|diverging| name.ident == diverging))
}

fn ends_process(path: &Path) -> bool {
    let mut names = path.segments.iter().rev().map(|segment| &segment.ident);
    let function = names.next();
    let module = names.next();
    function.is_some_and(|name| name == "exit" || name == "abort")
        && module.is_some_and(|name| name == "process")
}
