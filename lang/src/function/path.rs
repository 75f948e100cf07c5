//! `path(path, size)`: the name of a file by the kernel's description of where it is.

use bpf::helper::Helper;

use super::Function;
use crate::check::{Call, Checker};
use crate::diagnostic::Diagnostic;
use crate::expand::Context;
use crate::hir::{Expr, ExprKind};
use crate::ir::{Cmp, Operand};
use crate::lower::{Fill, Lowerer, Place};
use crate::types::{Space, Ty};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "path",
    signature: "path(struct path *path, const int size = max_strlen)",
    summary: "The full name of a file; of one that is longer than `size` the end. Known in iterators, and in `fentry` and `fexit` of the functions the kernel allows it in.",
    example: "fentry:filp_close { printf(\"%s\\n\", path(args.filp.f_path)); }",
    args: (1, 2),
    changes_system: false,
    check,
};

fn check(checker: &mut Checker<'_>, call: &Call<'_>) -> Expr {
    let most = checker.config.max_strlen;
    let size = checker.constant_arg(call, 1, Some(i64::from(most)));
    let Some(arg) = call.args.first() else { return Expr::poison(call.span) };
    // The helper takes what the verifier knows to be a path.
    checker.keeps_pointers = true;
    let value = checker.expr(arg);
    checker.keeps_pointers = false;
    let (Some(size), false) = (size, value.ty.is_unknown()) else { return Expr::poison(call.span) };
    if !matches!(checker.context, Context::Function(_) | Context::Iter { .. }) {
        let message = "`path` is known in `fentry`, `fexit` and `iter` only";
        let help = "elsewhere follow the names: `args.file->f_path.dentry->d_name.name`";
        checker.report(Diagnostic::error("E0209", call.span, message).help(help));
        return Expr::poison(call.span);
    }
    let ty = value.ty.clone();
    let (address, offset) = match value.kind {
        ExprKind::Memory { address, offset, .. } if is_path(&ty) => (*address, offset),
        _ if matches!(&ty, Ty::Pointer { to, .. } if is_path(to)) => (value, 0),
        _ => {
            let message = format!("argument 1 of `path` is a `struct path` or a pointer to one, not `{ty}`");
            return checker.error("E0504", arg.span, message);
        }
    };
    let size = u32::try_from(size.max(1)).unwrap_or(most).min(most);
    let span = call.span;
    Expr::memory("path", Ty::Str { size }, span, move |lowerer, to, fill| {
        // Where the kernel forbids the helper, this is what it is about.
        let around = lowerer.b.set_span(span);
        write(lowerer, to, size, (&address, offset), fill);
        lowerer.b.set_span(around);
    })
}

fn is_path(ty: &Ty) -> bool {
    matches!(ty, Ty::Struct(of) if &*of.name == "struct path")
}

/// The helper makes the name at the end of the memory it is given and moves it to the front: what is behind it must not be kept. Of a
/// name that is too long it leaves the end.
fn write(lowerer: &mut Lowerer<'_>, to: Place, size: u32, (address, offset): (&Expr, i64), fill: Fill) {
    let held = lowerer.temp(size);
    lowerer.zero(held, size.next_multiple_of(8));
    let made = lowerer.address(held);
    let (known, done) = (lowerer.b.new_block(), lowerer.b.new_block());
    let start = lowerer.register(address);
    lowerer.b.branch(Cmp::Ne, start, 0, known, done);
    lowerer.b.switch_to(known);
    let path = if offset == 0 { start } else { lowerer.b.add(start, offset) };
    lowerer.b.call_void(Helper::DPath, &[path.into(), made.into(), Operand::Imm(i64::from(size))]);
    lowerer.b.jump(done);
    lowerer.b.switch_to(done);
    lowerer.read_string(to, size, made.into(), Space::Kernel, fill);
}
