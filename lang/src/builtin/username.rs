//! `username`: the user's name.

use super::{Builtin, uid};
use crate::hir::{Expr, ExprKind};
use crate::types::Ty;

/// See the module.
pub const BUILTIN: Builtin = Builtin {
    name: "username",
    ty: "username",
    summary: "The user's name, which is looked up on the node when it prints.",
    example: "tracepoint:sched:sched_process_exec { @[username] = count(); }",
    check: |checker, span| {
        let uid = (uid::BUILTIN.check)(checker, span);
        Expr { kind: ExprKind::Cast(Box::new(uid)), ty: Ty::Username, span }
    },
};
