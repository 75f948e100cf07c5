//! `jiffies`: the kernel's count of clock ticks.

use bpf::helper::Helper;

use super::Builtin;
use crate::hir::Expr;
use crate::types::U64;

/// See the module.
pub const BUILTIN: Builtin = Builtin {
    name: "jiffies",
    ty: "uint64",
    summary: "The kernel's count of clock ticks.",
    example: "begin { print(jiffies); }",
    check: |_, span| Expr::scalar("jiffies", U64, span, |lowerer| lowerer.call(Helper::Jiffies64, &[])),
};
