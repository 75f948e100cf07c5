//! `debugf(format, values ..)`: prints to the kernel's trace buffer.

use bpf::helper::Helper;
use report::printf::{Conversion, Format, Piece};

use super::Function;
use crate::check::{Call, Checker};
use crate::diagnostic::Diagnostic;
use crate::hir::Expr;
use crate::ir::Operand;
use crate::lower::Fill;
use crate::types::Ty;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "debugf",
    signature: "debugf(const string format, ...)",
    summary: "Prints to the kernel's own trace buffer (trace_pipe), at most three values; to find out what a script does.",
    example: r#"interval:s:1 { debugf("cpu %d", cpu); }"#,
    args: (1, 4),
    changes_system: false,
    check,
};

fn check(checker: &mut Checker<'_>, call: &Call<'_>) -> Expr {
    checker.report(Diagnostic::warning(
        "W0501",
        call.span,
        "The debugf() builtin is not recommended for production use. For more information see bpf_trace_printk in \
         bpf-helpers(7).",
    ));
    let Some(format) = checker.string_arg(call, 0) else { return Expr::poison(call.span) };
    let values: Vec<Expr> = call.args.iter().skip(1).map(|arg| checker.expr(arg)).collect();
    if values.iter().any(|value| value.ty.is_unknown()) {
        return Expr::poison(call.span);
    }
    let parsed = match Format::parse(&format) {
        Ok(parsed) => parsed,
        Err(error) => return checker.error("E0510", call.span, error.to_string()),
    };
    if parsed.specs().count() != values.len() {
        return checker.error("E0511", call.span, "`debugf` has as many values as conversions");
    }
    for (spec, value) in parsed.specs().zip(&values) {
        let text = matches!(value.ty, Ty::Str { .. });
        let fits = if spec.conversion == Conversion::Str { text } else { value.ty.is_scalar() };
        if !fits {
            let message = format!("the kernel's `%{}` does not print `{}`", spec.conversion, value.ty);
            return checker.error("E0512", value.span, message);
        }
    }
    let text = in_kernel_terms(&parsed);
    Expr::effect("debugf", call.span, move |lowerer| {
        let size = Ty::Str { size: text.len() as u32 + 1 }.layout().size;
        let place = lowerer.temp(size);
        lowerer.write_text(&text, place, size, Fill::Zeros);
        let mut arguments = vec![lowerer.address(place).into(), Operand::Imm(text.len() as i64 + 1)];
        for value in &values {
            arguments.push(match value.ty {
                Ty::Str { .. } => {
                    let place = lowerer.place(value);
                    lowerer.address(place).into()
                }
                _ => lowerer.scalar(value),
            });
        }
        // The helper takes as many as there are conversions; the rest is not looked at.
        arguments.resize(5, Operand::Imm(0));
        lowerer.b.call_void(Helper::TracePrintk, &arguments);
    })
}

/// The format as the kernel reads it: every number is of 64 bits, and neither flags nor widths are known.
fn in_kernel_terms(format: &Format) -> String {
    let piece = |piece: &Piece| match piece {
        Piece::Literal(text) => text.replace('%', "%%"),
        Piece::Spec(spec) => match spec.conversion {
            Conversion::Str => "%s".to_owned(),
            Conversion::Unsigned => "%llu".to_owned(),
            Conversion::Hex | Conversion::HexUpper => "%llx".to_owned(),
            Conversion::Pointer => "0x%llx".to_owned(),
            _ => "%lld".to_owned(),
        },
    };
    format.pieces.iter().map(piece).collect()
}
