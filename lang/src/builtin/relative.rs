//! What the builtins and functions about other tasks than the current one have in common: a chain of fields from the current task.

use crate::ast::{self, ExprKind};
use crate::check::Checker;
use crate::hir::Expr;
use crate::span::{Span, Spanned};

/// `curtask.field.field` ..
pub fn of_current_task(checker: &mut Checker<'_>, name: &str, path: &[&str], span: Span) -> Expr {
    of_task(checker, name, None, path, span)
}

/// `task.field.field` .., of the current task where no other is given.
pub fn of_task(checker: &mut Checker<'_>, name: &str, of: Option<&ast::Expr>, path: &[&str], span: Span) -> Expr {
    if checker.target.btf.is_none() {
        if !checker.target.complete {
            return Expr::poison(span);
        }
        let message = format!("`{name}` is not known: this kernel has no BTF");
        return checker.error("E0322", span, message);
    }
    let task = Spanned { node: ExprKind::Ident("curtask".to_owned()), span };
    let task = of.cloned().unwrap_or(task);
    let chain = path.iter().fold(task, |base, field| {
        let field = Spanned { node: (*field).to_owned(), span };
        ast::Expr { node: ExprKind::Field { base: Box::new(base), field, arrow: false }, span }
    });
    checker.expr(&chain)
}
