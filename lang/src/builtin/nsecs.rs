//! `nsecs`: nanoseconds since boot, suspended time included.

use super::Builtin;
use crate::hir::Expr;
use crate::types::U64;
use bpf::helper::Helper;

/// See the module.
pub const BUILTIN: Builtin = Builtin {
    name: "nsecs",
    ty: "uint64",
    summary: "Nanoseconds since boot, suspended time included.",
    example: "begin { print(nsecs); }",
    check: |_, span| Expr::scalar("nsecs", U64, span, |lowerer| lowerer.call(Helper::KtimeGetBootNs, &[])),
};
