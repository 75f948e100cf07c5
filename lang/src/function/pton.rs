//! `pton(text)`: an IP address as bytes.

use std::net::IpAddr;
use std::rc::Rc;

use super::Function;
use crate::check::{Call, Checker};
use crate::hir::Expr;
use crate::ir::Width;
use crate::types::Ty;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "pton",
    signature: "pton(const string address)",
    summary: "The bytes of an IP address written as text, in network order: 4 for version 4, 16 for version 6.",
    example: r#"begin { printf("%s\n", ntop(pton("127.0.0.1"))); }"#,
    args: (1, 1),
    changes_system: false,
    check,
};

fn check(checker: &mut Checker<'_>, call: &Call<'_>) -> Expr {
    let Some(text) = checker.string_arg(call, 0) else { return Expr::poison(call.span) };
    let bytes = match text.parse() {
        Ok(IpAddr::V4(address)) => address.octets().to_vec(),
        Ok(IpAddr::V6(address)) => address.octets().to_vec(),
        Err(_) => return checker.error("E0518", call.span, format!("`{text}` is not an IP address")),
    };
    let element = Ty::Int { bytes: 1, signed: false };
    let ty = Ty::Array { element: Rc::new(element), len: bytes.len() as u32 };
    Expr::memory("pton", ty.clone(), call.span, move |lowerer, to, _| {
        lowerer.zero(to, ty.layout().size);
        for (at, byte) in (0u32..).zip(&bytes) {
            lowerer.b.store(to.base, to.at(at).offset, Width::B1, i64::from(*byte));
        }
    })
}
