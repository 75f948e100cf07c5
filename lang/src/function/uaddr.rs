//! `uaddr(name)`: where a variable or function of the traced program lies.
//!
//! A file that each process loads at a place of its own is moved as a whole: what is wanted is as far from where the probe is as the
//! symbol table says.

use bpf::helper::Helper;

use super::Function;
use crate::check::{Call, Checker, pointer_to};
use crate::compiled::Attach;
use crate::expand::Context;
use crate::hir::{Expr, ExprKind};
use crate::types::{Space, Ty, U64};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "uaddr",
    signature: "uaddr(const string name)",
    summary: "The address of a symbol of the program or library that the probe is attached to, as a pointer to an unsigned integer as wide as the symbol.",
    example: r#"uprobe:/bin/bash:readline { printf("%s", str(*uaddr("ps1_prompt"))); }"#,
    args: (1, 1),
    changes_system: false,
    check,
};

fn check(checker: &mut Checker<'_>, call: &Call<'_>) -> Expr {
    let Some(name) = checker.string_arg(call, 0) else { return Expr::poison(call.span) };
    let (Some(Attach::Uprobe { path, offset, .. }), Some(origin)) = (checker.attach.clone(), origin(checker, call))
    else {
        let message = "`uaddr` is known in probes of programs and libraries only";
        return checker.error("E0209", call.span, message);
    };
    let target = checker.target;
    let file = target.user_files.values().flatten().find(|file| file.path == path && !file.parts.is_empty());
    let found = file.and_then(|file| {
        let symbol = file.symbols.iter().find(|symbol| symbol.name == name)?;
        Some((symbol, file.address_at(offset)?, file.moves))
    });
    let Some((symbol, probe, moves)) = found else {
        if !target.complete {
            return Expr::poison(call.span);
        }
        return checker.error("E0515", call.span, format!("Could not resolve symbol: {path}:{name}"));
    };
    let bytes = if matches!(symbol.size, 1 | 2 | 4) { symbol.size as u8 } else { 8 };
    let ty = pointer_to(Ty::Int { bytes, signed: false }, Space::User);
    if !moves {
        let address = Expr { kind: ExprKind::Int(symbol.address.cast_signed()), ty: U64, span: call.span };
        return Expr { kind: ExprKind::Cast(Box::new(address)), ty, span: call.span };
    }
    let distance = symbol.address.wrapping_sub(probe).cast_signed();
    Expr::scalar("uaddr", ty, call.span, move |lowerer| {
        let origin = lowerer.scalar(&origin);
        lowerer.b.add(origin, distance).into()
    })
}

/// Where the probe is in the process at hand.
fn origin(checker: &Checker<'_>, call: &Call<'_>) -> Option<Expr> {
    let offset = checker.target.arch.registers().ip;
    match &checker.context {
        Context::Entry { space: Space::User, .. } | Context::Marker { .. } => {
            Some(Expr { kind: ExprKind::Context { offset }, ty: U64, span: call.span })
        }
        context @ Context::Return { space: Space::User, .. } if checker.target.features.knows_function(context) => {
            Some(Expr::scalar("uaddr", U64, call.span, |lowerer| {
                let context = lowerer.b.context();
                lowerer.b.call(Helper::GetFuncIp, &[context.into()]).into()
            }))
        }
        _ => None,
    }
}
