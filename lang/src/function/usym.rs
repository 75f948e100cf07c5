//! `usym(address)`: a user address as its symbol.

use super::Function;
use crate::hir::Expr;
use crate::ir::Width;
use crate::span::Span;
use crate::types::Ty;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "usym",
    signature: "usym(int address)",
    summary: "An address of the current process that prints as its symbol.",
    example: "uprobe:/bin/bash:readline { @[usym(arg0)] = count(); }",
    args: (1, 1),
    changes_system: false,
    check: |checker, call| {
        let address = checker.address_arg(call, 0);
        usym_of(address, call.span)
    },
};

/// An address of the current process as its symbol.
pub fn usym_of(address: Expr, span: Span) -> Expr {
    Expr::memory("usym", Ty::Usym, span, move |lowerer, to, _| {
        let address = lowerer.scalar(&address);
        lowerer.b.store(to.base, to.offset, Width::B8, address);
        let pid = lowerer.process_id();
        lowerer.b.store(to.base, to.at(8).offset, Width::B8, pid);
    })
}
