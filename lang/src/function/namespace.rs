//! What `pid` and `tid` have in common: the pid namespace in which an id is wanted.

use crate::ast::ExprKind;
use crate::check::{Call, Checker};
use crate::diagnostic::Diagnostic;

/// A pid namespace.
pub enum Namespace {
    /// That of whoever traces.
    Current,
    /// The node's first.
    First,
}

/// The namespace a call names; `None` once it was reported that there is no such.
pub fn namespace(checker: &mut Checker<'_>, call: &Call<'_>) -> Option<Namespace> {
    let Some(arg) = call.args.first() else { return Some(Namespace::Current) };
    match &arg.node {
        ExprKind::Ident(name) if name == "curr_ns" => Some(Namespace::Current),
        ExprKind::Ident(name) if name == "init" => Some(Namespace::First),
        _ => {
            let message = format!("Invalid PID namespace mode: `{}` takes curr_ns or init", call.name.node);
            checker.report(Diagnostic::error("E0524", arg.span, message));
            None
        }
    }
}
