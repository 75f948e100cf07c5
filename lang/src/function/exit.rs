//! `exit(code)`: ends the script.

use report::schema::EventKind;

use super::Function;
use crate::hir::Expr;
use crate::ir::{Operand, Width};
use crate::lower::HEADER;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "exit",
    signature: "exit(int code = 0)",
    summary: "Ends the script with this exit code: the probe at hand ends at once, timers do not fire again, and `end` runs.",
    example: "interval:s:5 { exit(); }",
    args: (0, 1),
    changes_system: false,
    check: |checker, call| {
        if checker.in_loop() {
            return checker.error("E0508", call.span, "`exit` cannot be called inside of a loop");
        }
        if checker.in_value() {
            return checker.error("E0213", call.span, "`exit` cannot leave the probe from inside a value");
        }
        checker.note_exit();
        let code = call.args.first().map(|arg| checker.integer(arg));
        Expr::effect("exit", call.span, move |lowerer| {
            let code = code.as_ref().map_or(Operand::Imm(0), |code| lowerer.scalar(code));
            lowerer.send(EventKind::Exit { code_offset: HEADER }, HEADER + 8, |lowerer, record| {
                let at = record.at(HEADER);
                lowerer.b.store(at.base, at.offset, Width::B8, code);
                lowerer.end_script();
            });
            lowerer.leave();
        })
    },
};
