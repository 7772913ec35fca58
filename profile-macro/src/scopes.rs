//! The loops and labelled blocks around a statement, and how many loops a jump leaves for good.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Attribute, Expr, Label, Lifetime, Stmt};

use crate::probe;

/// What a jump can leave, outermost first.
#[derive(Default)]
pub(crate) struct Scopes {
    around: Vec<Scope>,
    /// How many jumps have been announced.
    announced: usize,
}

struct Scope {
    label: Option<String>,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    /// A loop whose header's line reopens at the end of each iteration.
    Reopening,
    /// A loop on one line, which needs no reopening.
    Plain,
    /// A labelled block.
    Block,
}

impl Scopes {
    pub(crate) fn enter(&mut self, label: Option<&Label>, kind: Kind) {
        let label = label.map(|label| name(&label.name));
        self.around.push(Scope { label, kind });
    }

    pub(crate) fn exit(&mut self) {
        self.around.pop();
    }

    /// Before a statement that leaves `loops` loops without evaluating their headers again.
    pub(crate) fn announce(&mut self, loops: usize, cfg: &[Attribute]) -> Stmt {
        self.announced += 1;
        probe::leaving(loops, cfg)
    }

    /// How many jumps have been announced so far.
    pub(crate) fn announced(&self) -> usize {
        self.announced
    }

    /// Whether there is a loop whose header could reopen by mistake.
    pub(crate) fn any_reopening(&self) -> bool {
        self.around
            .iter()
            .any(|scope| scope.kind == Kind::Reopening)
    }

    /// The number of loops whose bodies `stmt` ends without their headers being evaluated again.
    pub(crate) fn left_by_stmt(&self, stmt: &Stmt) -> usize {
        match stmt {
            Stmt::Expr(expr, _) => self.left_by(expr),
            _ => 0,
        }
    }

    /// The same for an expression that is a whole statement or the whole arm of a `match`.
    pub(crate) fn left_by(&self, expr: &Expr) -> usize {
        match expr {
            Expr::Return(jump) if interferes(jump.expr.as_deref()) => 0,
            Expr::Break(jump) if interferes(jump.expr.as_deref()) => 0,
            Expr::Return(_) => self.reopening_from(0),
            Expr::Break(jump) => {
                let target = self.target(jump.label.as_ref());
                self.reopening_from(target.unwrap_or(0))
            }
            Expr::Continue(jump) => {
                let target = self.target(jump.label.as_ref());
                self.reopening_from(target.map_or(0, |target| target + 1))
            }
            _ => 0,
        }
    }

    /// The position of the scope that a jump goes to, unless that is further out than we see.
    fn target(&self, label: Option<&Lifetime>) -> Option<usize> {
        let wanted = label.map(name);
        self.around.iter().rposition(|scope| match &wanted {
            Some(_) => scope.label == wanted,
            None => scope.kind != Kind::Block,
        })
    }

    fn reopening_from(&self, outermost: usize) -> usize {
        let left = self.around.iter().skip(outermost);
        left.filter(|scope| scope.kind == Kind::Reopening).count()
    }
}

/// Whether the value of a jump iterates or jumps itself: that comes between the announcement of
/// the jump and the jump, so nothing is announced.
fn interferes(value: Option<&Expr>) -> bool {
    fn is_in(tokens: TokenStream) -> bool {
        let words = ["for", "while", "loop", "break", "continue"];
        tokens.into_iter().any(|token| match token {
            TokenTree::Ident(ident) => words.iter().any(|word| ident == word),
            TokenTree::Group(group) => is_in(group.stream()),
            _ => false,
        })
    }
    value.is_some_and(|value| is_in(value.to_token_stream()))
}

fn name(lifetime: &Lifetime) -> String {
    lifetime.ident.to_string()
}
