//! `unwatch(address)`: ends a watchpoint.

use report::schema::EventKind;

use super::Function;
use crate::hir::Expr;
use crate::ir::Width;
use crate::lower::HEADER;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "unwatch",
    signature: "unwatch(address)",
    summary: "Ends the script's watchpoints at an address. User space does it, a moment later.",
    example: "watchpoint:0x10000000:8:w { printf(\"written\\n\"); unwatch(0x10000000); }",
    args: (1, 1),
    changes_system: false,
    check: |checker, call| {
        let address = checker.address_arg(call, 0);
        if address.ty.is_unknown() {
            return Expr::poison(call.span);
        }
        Expr::effect("unwatch", call.span, move |lowerer| {
            let address = lowerer.scalar(&address);
            lowerer.send(EventKind::Unwatch, HEADER + 8, |lowerer, record| {
                let at = record.at(HEADER);
                lowerer.b.store(at.base, at.offset, Width::B8, address);
            });
        })
    },
};
