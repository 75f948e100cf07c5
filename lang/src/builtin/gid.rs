//! `gid`: the group's id.

use super::Builtin;
use crate::hir::Expr;
use crate::types::U32;
use bpf::helper::Helper;

/// See the module.
pub const BUILTIN: Builtin = Builtin {
    name: "gid",
    ty: "uint32",
    summary: "The group's id.",
    example: "begin { print(gid); }",
    check: |_, span| {
        Expr::scalar("gid", U32, span, |lowerer| {
            let both = lowerer.call(Helper::GetCurrentUidGid, &[]);
            lowerer.b.lshr(both, 32).into()
        })
    },
};
