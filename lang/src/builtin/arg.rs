//! `arg0` .. `arg11`: the arguments of the function a probe is attached to, or of a raw tracepoint.

use super::{Builtin, typed};
use crate::check::{Checker, memory};
use crate::expand::Context;
use crate::hir::{Expr, ExprKind};
use crate::ir::{Operand, Width};
use crate::provider::{MarkerArgument, MarkerSource};
use crate::span::Span;
use crate::types::{I64, Space, Ty, U64};

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
    ARG5 5 "arg5", ARG6 6 "arg6", ARG7 7 "arg7", ARG8 8 "arg8", ARG9 9 "arg9",
    ARG10 10 "arg10", ARG11 11 "arg11"
);

fn argument(checker: &mut Checker<'_>, number: usize, span: Span) -> Expr {
    let at = |offset: i32| Expr { kind: ExprKind::Context { offset }, ty: U64, span };
    match &checker.context {
        Context::Entry { space, .. } => {
            let registers = checker.target.arch.registers();
            match registers.args.get(number) {
                Some(offset) => at(*offset),
                None => {
                    let behind = (number - registers.args.len()) as i64 * 8;
                    memory(at(registers.sp), registers.stack_args + behind, U64, *space, None, span)
                }
            }
        }
        Context::Raw { typed: true, .. } => typed::in_context(checker, number as i32 * 8, true, span),
        Context::Raw { .. } => at(number as i32 * 8),
        Context::Function(function) => {
            let function = function.clone();
            typed::numbered(checker, &function, number, span)
        }
        Context::Marker { arguments } => match arguments.get(number).cloned() {
            Some(MarkerArgument { source: MarkerSource::Unknown, .. }) => {
                let message = format!("`arg{number}` of this marker is in a place that cannot be read");
                checker.error("E0411", span, message)
            }
            Some(argument) => of_marker(&argument, span),
            None => {
                let message = format!("this marker has {} arguments", arguments.len());
                checker.error("E0209", span, message)
            }
        },
        _ => checker.error("E0209", span, format!("`arg{number}` is known at the entry of a function only")),
    }
}

/// An argument of a static marker: a constant, or a part of a register or of the process's memory, extended by its own sign.
fn of_marker(argument: &MarkerArgument, span: Span) -> Expr {
    let ty = if argument.signed { I64 } else { U64 };
    let narrow = Ty::Int { bytes: argument.bytes, signed: argument.signed };
    let MarkerArgument { bytes, signed, source } = *argument;
    Expr::scalar("arg", ty, span, move |lowerer| {
        let width = Width::from_bytes(bytes.into()).unwrap_or(Width::B8);
        let context = lowerer.b.context();
        match source {
            MarkerSource::Unknown => Operand::Imm(0),
            MarkerSource::Constant(value) => {
                let value = lowerer.b.copy(value);
                lowerer.b.extend(value, width, signed).into()
            }
            MarkerSource::Register { register, shift } => {
                let value = lowerer.b.load(context, register, Width::B8, false);
                let value = lowerer.b.lshr(value, i64::from(shift));
                lowerer.b.extend(value, width, signed).into()
            }
            MarkerSource::Memory { base, index, offset } => {
                let mut address = lowerer.b.copy(offset);
                if let Some(base) = base {
                    let base = lowerer.b.load(context, base, Width::B8, false);
                    address = lowerer.b.add(base, address);
                }
                if let Some((index, scale)) = index {
                    let index = lowerer.b.load(context, index, Width::B8, false);
                    let scaled = lowerer.b.mul(index, i64::from(scale));
                    address = lowerer.b.add(address, scaled);
                }
                lowerer.read_scalar(Operand::Reg(address), &narrow, Space::User, None).into()
            }
        }
    })
}
