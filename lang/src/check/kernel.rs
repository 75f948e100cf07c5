//! What the kernel's types say about a name, asked once and remembered: finding a name costs a walk through all of them.

use std::collections::HashMap;

use bpf::btf::Kind;

use super::Checker;
use crate::ctype;
use crate::hir::{Expr, ExprKind};
use crate::span::Span;
use crate::types::{Space, Ty};

/// Answers so far.
#[derive(Debug, Default)]
pub struct Answers {
    types: HashMap<(Kind, String), Option<Ty>>,
    constants: HashMap<String, Option<(i64, Ty)>>,
}

impl Checker<'_> {
    /// A type of the kernel by its name.
    pub fn kernel_type(&mut self, kind: Kind, name: &str) -> Option<Ty> {
        let btf = self.target.btf.as_deref()?;
        let key = (kind, name.to_owned());
        self.answers.types.entry(key).or_insert_with(|| ctype::find(btf, kind, name)).clone()
    }

    /// A constant of one of the kernel's enums, or one that its headers define.
    pub(super) fn kernel_constant(&mut self, name: &str, span: Span) -> Option<Expr> {
        let target = self.target;
        let answer = self.answers.constants.entry(name.to_owned()).or_insert_with(|| {
            let described = target.btf.as_deref().and_then(|btf| {
                let (constant, id) = btf.enum_constant(name)?;
                let value = constant.value;
                match ctype::of_btf(btf, id, Space::Kernel) {
                    ty @ Ty::Enum(_) => Some((value, ty)),
                    _ => Some((value, Ty::of_literal(value))),
                }
            });
            described.or_else(|| crate::constants::find(name).map(|value| (value, Ty::of_literal(value))))
        });
        let (value, ty) = answer.clone()?;
        Some(Expr { kind: ExprKind::Int(value), ty, span })
    }
}
