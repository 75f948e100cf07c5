//! `arg0` .. `arg9`: the arguments of the function a probe is attached to, or of a raw tracepoint.

use super::Builtin;
use crate::check::{Checker, memory};
use crate::expand::Context;
use crate::hir::{Expr, ExprKind};
use crate::span::Span;
use crate::types::U64;

macro_rules! arguments {
    ($($constant:ident $number:literal $name:literal),*) => {$(
        /// See the module.
        pub const $constant: Builtin = Builtin {
            name: $name,
            ty: "uint64",
            summary: concat!("Argument ", $number, " of the function, counted from 0."),
            example: concat!("kprobe:vfs_read { @[", $name, "] = count(); }"),
            check: |checker, span| argument(checker, $number, span),
        };
    )*};
}

arguments!(
    ARG0 0 "arg0", ARG1 1 "arg1", ARG2 2 "arg2", ARG3 3 "arg3", ARG4 4 "arg4",
    ARG5 5 "arg5", ARG6 6 "arg6", ARG7 7 "arg7", ARG8 8 "arg8", ARG9 9 "arg9"
);

fn argument(checker: &mut Checker<'_>, number: usize, span: Span) -> Expr {
    let at = |offset: i32| Expr { kind: ExprKind::Context { offset }, ty: U64, span };
    match &checker.context {
        Context::Entry { space } => {
            let registers = checker.target.arch.registers();
            match registers.args.get(number) {
                Some(offset) => at(*offset),
                None => {
                    let behind = (number - registers.args.len()) as i64 * 8;
                    memory(at(registers.sp), registers.stack_args + behind, U64, *space, None, span)
                }
            }
        }
        Context::Raw { .. } => at(number as i32 * 8),
        _ => checker.error("E0209", span, format!("`arg{number}` is known at the entry of a function only")),
    }
}
