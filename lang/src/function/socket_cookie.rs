//! `socket_cookie(socket)`: the number the kernel knows a socket by.

use super::Function;
use crate::ast::{self, ExprKind, TypeBase, TypeName};
use crate::hir::Expr;
use crate::span::Spanned;
use crate::types::{Ty, U64};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "socket_cookie",
    signature: "socket_cookie(struct sock *socket)",
    summary: "The number the kernel knows a socket by; 0 for one that nobody has asked it of yet.",
    example: "kprobe:tcp_sendmsg { @[socket_cookie(arg0)] = count(); }",
    args: (1, 1),
    changes_system: false,
    check: |checker, call| {
        let Some(socket) = call.args.first() else { return Expr::poison(call.span) };
        if checker.target.btf.is_none() {
            if !checker.target.complete {
                return Expr { ty: U64, ..Expr::poison(call.span) };
            }
            return checker.error("E0322", call.span, "`socket_cookie` is not known: this kernel has no BTF");
        }
        let base = TypeBase::Struct("sock".to_owned());
        let ty = TypeName { base, pointers: 1, arrays: vec![], span: call.span };
        let cast = ExprKind::Cast { ty, operand: Box::new(socket.clone()) };
        let chain = ["__sk_common", "skc_cookie", "counter"].iter().fold(cast, |base, field| ExprKind::Field {
            base: Box::new(ast::Expr { node: base, span: call.span }),
            field: Spanned { node: (*field).to_owned(), span: call.span },
            arrow: false,
        });
        let value = checker.expr(&ast::Expr { node: chain, span: call.span });
        if value.ty == Ty::Unknown { value } else { checker.cast_to(U64, value, call.span) }
    },
};
