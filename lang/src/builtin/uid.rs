//! `uid`: the user's id.

use super::Builtin;
use crate::hir::Expr;
use crate::ir::Width;
use crate::types::U32;
use bpf::helper::Helper;

/// See the module.
pub const BUILTIN: Builtin = Builtin {
    name: "uid",
    ty: "uint32",
    summary: "The user's id.",
    example: "begin { print(uid); }",
    check: |_, span| {
        Expr::scalar("uid", U32, span, |lowerer| {
            let both = lowerer.call(Helper::GetCurrentUidGid, &[]);
            lowerer.b.extend(both, Width::B4, false).into()
        })
    },
};
