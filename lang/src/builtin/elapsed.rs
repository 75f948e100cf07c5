//! `elapsed`: nanoseconds since the script started.

use bpf::helper::Helper;

use super::Builtin;
use crate::hir::Expr;
use crate::types::U64;

/// See the module.
pub const BUILTIN: Builtin = Builtin {
    name: "elapsed",
    ty: "uint64",
    summary: "Nanoseconds since the script started.",
    example: "interval:s:1 { print(elapsed); }",
    check: |_, span| {
        Expr::scalar("elapsed", U64, span, |lowerer| {
            let now = lowerer.call(Helper::KtimeGetBootNs, &[]);
            let start = lowerer.start_time();
            lowerer.b.sub(now, start).into()
        })
    },
};
