//! `override(value)`: makes a kernel function return at once.

use bpf::helper::Helper;

use super::Function;
use crate::expand::Context;
use crate::hir::Expr;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "override",
    signature: "override(int value)",
    summary: "Makes the kernel function at hand return this value without running. The kernel allows it of functions made for \
              error injection.",
    example: "kprobe:__x64_sys_getuid /comm == \"id\"/ { override(1000); }",
    args: (1, 1),
    changes_system: true,
    check: |checker, call| {
        let value = checker.integer_arg(call, 0);
        if !matches!(checker.context, Context::Entry { .. }) {
            return checker.error(
                "E0209",
                call.span,
                "`override` is known where a kernel function starts: in a kprobe",
            );
        }
        Expr::effect("override", call.span, move |lowerer| {
            let (context, value) = (lowerer.b.context(), lowerer.scalar(&value));
            lowerer.b.call_void(Helper::OverrideReturn, &[context.into(), value]);
        })
    },
};
