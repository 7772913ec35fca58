//! Jumps out of loops from within a statement on one line.
//!
//! Such a statement has no lines inside, but `if done { break; }` still has to say that the
//! header of the loop will not be evaluated again.

use std::mem;

use syn::visit_mut::{self, VisitMut};
use syn::{Arm, Block, Expr, ExprBlock, ExprForLoop, ExprLoop, ExprWhile, Item, Stmt};

use crate::scopes::{Kind, Scopes};
use crate::statement::cfg_of;
use crate::wrap::wrapped;

/// Announces every jump inside of `stmt` that leaves one of the loops in `scopes`.
pub(crate) fn announce_in_stmt(stmt: &mut Stmt, scopes: &mut Scopes) {
    if scopes.any_reopening() {
        visit_mut::visit_stmt_mut(&mut Announcer { scopes }, stmt);
    }
}

/// The same for an expression.
pub(crate) fn announce_in_expr(expr: &mut Expr, scopes: &mut Scopes) {
    if scopes.any_reopening() {
        Announcer { scopes }.visit_expr_mut(expr);
    }
}

struct Announcer<'a> {
    scopes: &'a mut Scopes,
}

impl VisitMut for Announcer<'_> {
    fn visit_block_mut(&mut self, block: &mut Block) {
        for mut stmt in mem::take(&mut block.stmts) {
            let loops = self.scopes.left_by_stmt(&stmt);
            if loops > 0 {
                let cfg = cfg_of(&stmt);
                block.stmts.push(self.scopes.announce(loops, &cfg));
            }
            self.visit_stmt_mut(&mut stmt);
            block.stmts.push(stmt);
        }
    }

    fn visit_arm_mut(&mut self, arm: &mut Arm) {
        self.visit_expr_mut(&mut arm.body);
        let loops = self.scopes.left_by(&arm.body);
        if loops > 0 {
            let body = mem::replace(&mut *arm.body, Expr::PLACEHOLDER);
            *arm.body = wrapped(vec![self.scopes.announce(loops, &[])], body);
        }
    }

    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        // What is in there jumps in there.
        if !matches!(expr, Expr::Closure(_) | Expr::Async(_) | Expr::Const(_)) {
            visit_mut::visit_expr_mut(self, expr);
        }
    }

    fn visit_expr_block_mut(&mut self, block: &mut ExprBlock) {
        self.scopes.enter(block.label.as_ref(), Kind::Block);
        visit_mut::visit_expr_block_mut(self, block);
        self.scopes.exit();
    }

    fn visit_expr_loop_mut(&mut self, expr: &mut ExprLoop) {
        self.scopes.enter(expr.label.as_ref(), Kind::Plain);
        visit_mut::visit_expr_loop_mut(self, expr);
        self.scopes.exit();
    }

    fn visit_expr_while_mut(&mut self, expr: &mut ExprWhile) {
        self.scopes.enter(expr.label.as_ref(), Kind::Plain);
        visit_mut::visit_expr_while_mut(self, expr);
        self.scopes.exit();
    }

    fn visit_expr_for_loop_mut(&mut self, expr: &mut ExprForLoop) {
        self.scopes.enter(expr.label.as_ref(), Kind::Plain);
        visit_mut::visit_expr_for_loop_mut(self, expr);
        self.scopes.exit();
    }

    fn visit_item_mut(&mut self, _: &mut Item) {}
}
