//! Puts a probe before each statement of a body, in every nested block.
//!
//! No expression of the user's is rewritten: probes are statements between statements. Only a
//! bare arm of a `match` becomes a block, which changes nothing, since an arm already ends the
//! life of its temporaries.

use std::mem;

use proc_macro2::Span;
use proc_macro2::extra::DelimSpan;
use syn::visit_mut::{self, VisitMut};
use syn::{
    AngleBracketedGenericArguments, Arm, Block, Expr, ExprBlock, ExprClosure, ExprIf, Item, Label,
    Local, Pat, Path, Stmt, Type,
};

use crate::leaving::{announce_in_expr, announce_in_stmt};
use crate::pattern;
use crate::place::{Extent, Lines};
use crate::probe::{self, LineTable};
use crate::scopes::{Kind, Scopes};
use crate::statement::{self, Statement};
use crate::wrap::{declare_first, wrapped};

/// Instruments `body` and returns its executable lines.
pub(crate) fn instrument(body: &mut Block, extent: &Extent, krate: &Path) -> Vec<u32> {
    // Probes refer to places in the sorted list of all lines, so a first pass finds the lines.
    let mut survey = Instrumenter::new(extent, krate, LineTable::default());
    survey.body(&mut body.clone());
    let mut instrumenter = Instrumenter::new(extent, krate, survey.table);
    instrumenter.body(body);
    instrumenter.table.into_sorted()
}

struct Instrumenter<'a> {
    extent: &'a Extent,
    krate: &'a Path,
    table: LineTable,
    scopes: Scopes,
    /// The line of the statement that we are inside of: open whenever we get to a block in it.
    current: Option<u32>,
}

/// What runs in the surrounding statement once an expression in it is done.
#[derive(Clone, Copy, PartialEq)]
enum Then {
    /// Nothing: its value is the statement's.
    Done,
    /// The rest of a larger expression, on the statement's own line.
    More,
}

impl<'a> Instrumenter<'a> {
    fn new(extent: &'a Extent, krate: &'a Path, table: LineTable) -> Self {
        Instrumenter {
            extent,
            krate,
            table,
            scopes: Scopes::default(),
            current: None,
        }
    }

    fn body(&mut self, body: &mut Block) {
        self.block(body, None, true);
    }

    /// Instruments a block that is entered with line `open` open. `binds` tells whether it has
    /// variables other than its own `let`s, such as a pattern's.
    fn block(&mut self, block: &mut Block, mut open: Option<u32>, binds: bool) {
        let extent = self.extent;
        let stmts = mem::take(&mut block.stmts).into_iter();
        let statements: Vec<_> = stmts.map(|stmt| Statement::new(stmt, extent)).collect();
        let end_of_scope = statement::end_of_scope(&statements);
        let mut end = self.end_of_block(&statements, end_of_scope, block.brace_token.span, binds);
        let mut dead = false;
        for (i, mut statement) in statements.into_iter().enumerate() {
            if i == end_of_scope && !statement.is_closed() {
                block.stmts.extend(end.take());
            }
            if !dead {
                self.statement(&mut statement, &mut open, &mut block.stmts);
            }
            dead |= statement.diverges();
            block.stmts.push(statement.stmt);
        }
        block.stmts.extend(end);
    }

    /// What opens the closing line of a block in which variables are dropped, unless that line is the
    /// last statement's own: a probe at the end, or where the block has a value a guard before that.
    fn end_of_block(
        &mut self,
        statements: &[Statement],
        end_of_scope: usize,
        braces: DelimSpan,
        binds: bool,
    ) -> Option<Stmt> {
        let drops = binds || statements.iter().any(Statement::is_let);
        let line = self.extent.closing_line(braces.close()).filter(|_| drops)?;
        let last = statements
            .iter()
            .rfind(|statement| statement.is_executable());
        let last_line = match last {
            Some(statement) => statement.lines.first,
            None => self.extent.line(braces.open()),
        };
        if last_line == Some(line) {
            return None;
        }
        Some(match statements.get(end_of_scope) {
            Some(value) if !value.is_closed() => self.table.end(line, value.lines.start),
            _ => self.table.end_last(line),
        })
    }

    /// Puts the probe for `statement` into `before` and instruments what is inside of it.
    fn statement(
        &mut self,
        statement: &mut Statement,
        open: &mut Option<u32>,
        before: &mut Vec<Stmt>,
    ) {
        if !statement.is_executable() {
            return;
        }
        let Statement {
            stmt,
            lines,
            cfg,
            skip,
        } = statement;
        if let Some(line) = lines.first.filter(|_| *open != lines.first) {
            before.push(self.table.line(line, lines.start, cfg));
        }
        let loops = self.scopes.left_by_stmt(stmt);
        if loops > 0 {
            before.push(self.scopes.announce(loops, cfg));
        }
        if lines.is_one() || *skip {
            announce_in_stmt(stmt, &mut self.scopes);
        } else {
            self.within(lines.first, |this| this.parts(stmt));
        }
        // What opened inside, or did not because of a `#[cfg]`, is not for us to know.
        *open = lines.first.filter(|_| lines.is_one() && cfg.is_empty());
    }

    /// Works inside of a statement whose line is `line`.
    fn within(&mut self, line: Option<u32>, work: impl FnOnce(&mut Self)) {
        let outer = mem::replace(&mut self.current, line);
        work(self);
        self.current = outer;
    }

    fn parts(&mut self, stmt: &mut Stmt) {
        match stmt {
            Stmt::Local(Local {
                init: Some(init), ..
            }) => {
                self.expr(&mut init.expr, Then::Done);
                if let Some((_, diverge)) = &mut init.diverge {
                    self.expr(diverge, Then::Done);
                }
            }
            Stmt::Expr(expr, _) => self.expr(expr, Then::Done),
            Stmt::Local(_) | Stmt::Item(_) | Stmt::Macro(_) => {}
        }
    }

    /// Finds the blocks in `expr`.
    fn expr(&mut self, expr: &mut Expr, then: Then) {
        match expr {
            Expr::Block(expr) => self.block_expr(expr, then, false),
            Expr::Unsafe(expr) => self.nested(&mut expr.block, then, false),
            Expr::If(expr) => self.if_expr(expr, then),
            Expr::Match(expr) => {
                self.expr(&mut expr.expr, Then::More);
                expr.arms.iter_mut().for_each(|arm| self.arm(arm, then));
            }
            Expr::Loop(expr) => {
                let keyword = expr.loop_token.span;
                self.loop_expr(expr.label.as_ref(), keyword, &mut expr.body, false);
            }
            Expr::While(expr) => {
                let binds = pattern::condition_binds(&expr.cond);
                let keyword = expr.while_token.span;
                let header = self.extent.line(keyword);
                self.within(header, |this| this.expr(&mut expr.cond, Then::More));
                self.loop_expr(expr.label.as_ref(), keyword, &mut expr.body, binds);
            }
            Expr::ForLoop(expr) => {
                let binds = pattern::binds(&expr.pat);
                let keyword = expr.for_token.span;
                self.expr(&mut expr.expr, Then::More);
                self.loop_expr(expr.label.as_ref(), keyword, &mut expr.body, binds);
            }
            Expr::Paren(expr) => self.expr(&mut expr.expr, then),
            Expr::Group(expr) => self.expr(&mut expr.expr, then),
            Expr::Cast(expr) => self.expr(&mut expr.expr, then),
            Expr::Assign(expr) => {
                self.expr(&mut expr.left, Then::More);
                self.expr(&mut expr.right, then);
            }
            Expr::Return(expr) => {
                expr.expr
                    .iter_mut()
                    .for_each(|value| self.expr(value, Then::Done));
            }
            Expr::Break(expr) => {
                expr.expr
                    .iter_mut()
                    .for_each(|value| self.expr(value, Then::Done));
            }
            // The length is a constant.
            Expr::Repeat(expr) => self.expr(&mut expr.expr, Then::More),
            Expr::Closure(expr) => self.closure(expr),
            Expr::Async(_) => self.async_block(expr),
            // One is run by the compiler, the other is not settled yet.
            Expr::Const(_) | Expr::TryBlock(_) => {}
            _ => visit_mut::visit_expr_mut(self, expr),
        }
    }

    fn block_expr(&mut self, expr: &mut ExprBlock, then: Then, binds: bool) {
        self.scopes.enter(expr.label.as_ref(), Kind::Block);
        self.nested(&mut expr.block, then, binds);
        self.scopes.exit();
    }

    /// A block in the statement that we are inside of.
    fn nested(&mut self, block: &mut Block, then: Then, binds: bool) {
        let probes = self.table.probes();
        self.block(block, self.current, binds);
        let left_line = self.table.probes() > probes;
        if let Some(line) = self.current.filter(|_| left_line && then == Then::More) {
            declare_first(block, [self.table.back(line)]);
        }
    }

    fn if_expr(&mut self, expr: &mut ExprIf, then: Then) {
        let binds = pattern::condition_binds(&expr.cond);
        self.expr(&mut expr.cond, Then::More);
        self.nested(&mut expr.then_branch, then, binds);
        if let Some((_, otherwise)) = &mut expr.else_branch {
            self.expr(otherwise, then);
        }
    }

    fn loop_expr(&mut self, label: Option<&Label>, keyword: Span, body: &mut Block, binds: bool) {
        let close = self.extent.closing_line(body.brace_token.span.close());
        let header = self.extent.line(keyword);
        let reopening = header.filter(|_| close != header);
        let kind = if reopening.is_some() {
            Kind::Reopening
        } else {
            Kind::Plain
        };
        self.scopes.enter(label, kind);
        let announced = self.scopes.announced();
        // What a header binds is dropped after the body, when its line is open again.
        let outside = mem::replace(&mut self.table.hot, true);
        self.block(body, header, binds && reopening.is_none());
        self.table.hot = outside;
        self.scopes.exit();
        let is_left = self.scopes.announced() > announced;
        if let Some(header) = reopening {
            declare_first(body, [self.table.again(header, is_left)]);
        }
    }

    fn arm(&mut self, arm: &mut Arm, then: Then) {
        if let Pat::Guard(pat) = &mut arm.pat {
            self.expr(&mut pat.guard, Then::More);
        }
        match &mut *arm.body {
            Expr::Block(body) => self.block_expr(body, then, pattern::binds(&arm.pat)),
            body => self.bare_arm(body, then),
        }
    }

    /// An arm that is no block becomes one where there is something to put before it.
    fn bare_arm(&mut self, body: &mut Expr, then: Then) {
        let lines = self.extent.lines(body);
        let mut before = Vec::new();
        let own_line = lines.first.filter(|_| lines.first != self.current);
        if let Some(line) = own_line {
            let outer = self.current.filter(|_| then == Then::More);
            before.extend(outer.map(|outer| self.table.back(outer)));
            before.push(self.table.line(line, lines.start, &[]));
        }
        let loops = self.scopes.left_by(body);
        if loops > 0 {
            before.push(self.scopes.announce(loops, &[]));
        }
        let (line, then) = match own_line {
            Some(_) => (own_line, Then::Done),
            None => (self.current, then),
        };
        self.within(line, |this| this.bare(body, lines, then));
        if !before.is_empty() {
            *body = wrapped(before, mem::replace(body, Expr::PLACEHOLDER));
        }
    }

    /// A closure on several lines has probes that find the call for themselves: it may run on any
    /// thread. One on a single line is left as it is, and costs nothing.
    fn closure(&mut self, closure: &mut ExprClosure) {
        let lines = self.extent.lines(&closure.body);
        if lines.is_one() || closure.asyncness.is_some() || closure.constness.is_some() {
            return;
        }
        let frame = probe::closure_frame(self.krate);
        let probes = self.table.probes();
        let outside = mem::replace(&mut self.table.hot, true);
        self.apart(|this| match &mut *closure.body {
            Expr::Block(body) if body.label.is_none() => {
                this.body(&mut body.block);
                if this.table.probes() > probes {
                    declare_first(&mut body.block, [frame]);
                }
            }
            body => {
                let line = lines.first;
                let mut before = vec![frame];
                before.extend(line.map(|line| this.table.line(line, lines.start, &[])));
                this.within(line, |this| this.expr(body, Then::Done));
                if this.table.probes() > probes {
                    *body = wrapped(before, mem::replace(body, Expr::PLACEHOLDER));
                }
            }
        });
        self.table.hot = outside;
    }

    /// An async block on several lines is wrapped in a future that tells when it is polled.
    fn async_block(&mut self, expr: &mut Expr) {
        let probes = self.table.probes();
        let is_one = self.extent.lines(expr).is_one();
        if let Expr::Async(future) = expr
            && !is_one
        {
            self.apart(|this| this.body(&mut future.block));
            if self.table.probes() > probes {
                declare_first(&mut future.block, [probe::async_probe(self.krate)]);
                *expr = probe::part(self.krate, expr);
            }
        }
    }

    /// Works inside of what runs apart from the statements around it.
    fn apart(&mut self, work: impl FnOnce(&mut Self)) {
        let outer = mem::take(&mut self.scopes);
        self.within(None, work);
        self.scopes = outer;
    }

    fn bare(&mut self, expr: &mut Expr, lines: Lines, then: Then) {
        if lines.is_one() {
            announce_in_expr(expr, &mut self.scopes);
        } else {
            self.expr(expr, then);
        }
    }
}

/// The way down into expressions that `Instrumenter::expr` has nothing to say about.
impl VisitMut for Instrumenter<'_> {
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        self.expr(expr, Then::More);
    }

    // Blocks in there are constants, or items of their own.
    fn visit_type_mut(&mut self, _: &mut Type) {}
    fn visit_pat_mut(&mut self, _: &mut Pat) {}
    fn visit_item_mut(&mut self, _: &mut Item) {}
    fn visit_angle_bracketed_generic_arguments_mut(
        &mut self,
        _: &mut AngleBracketedGenericArguments,
    ) {
    }
}
