//! What a name of a type or constant stands for: first in the script's definitions, then in the types of the program that the probe
//! is in, then in the kernel's.
//!
//! Answers of the kernel's types are remembered: finding a name costs a walk through all of them.

use std::collections::HashMap;
use std::rc::Rc;

use bpf::btf::Kind;

use super::Checker;
use crate::ast::Preamble;
use crate::ctype::{self, Source, StructType, Types};
use crate::definition::Definitions;
use crate::diagnostic::Diagnostic;
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
    /// Reads the script's definitions.
    pub(super) fn read_definitions(&mut self) {
        self.program = None;
        let mut definitions = Definitions::default();
        for item in &self.script.preamble {
            let Preamble::Definition(text) = item else { continue };
            let read = definitions.read(&text.node, &mut |name| match name.split_once(' ') {
                Some(("struct", tag)) => self.kernel_type(Kind::Struct, tag),
                Some(("union", tag)) => self.kernel_type(Kind::Union, tag),
                Some(("enum", tag)) => self.kernel_type(Kind::Enum, tag),
                _ => self.kernel_type(Kind::Typedef, name),
            });
            if let Err(what) = read {
                self.report(Diagnostic::error("E0323", text.span, format!("this definition cannot be read: {what}")));
            }
        }
        self.definitions = definitions;
    }

    /// A pointer to what was only named where it was defined, now pointing to the definition.
    pub(super) fn complete(&mut self, ty: Ty) -> Ty {
        let Ty::Pointer { to, space } = &ty else { return ty };
        let Ty::Struct(StructType { name, source: Source::Named, .. }) = &**to else { return ty };
        match self.definitions.ty(name) {
            Some(found) => Ty::Pointer { to: Rc::new(found), space: *space },
            None => ty,
        }
    }

    /// A type by its name: the program's that the probe is in, else the kernel's.
    pub fn kernel_type(&mut self, kind: Kind, name: &str) -> Option<Ty> {
        if let Some(found) = self.program.as_ref().and_then(|types| ctype::find(types, kind, name, Space::User)) {
            return Some(found);
        }
        let types = Types::new(self.target.btf.clone()?);
        let key = (kind, name.to_owned());
        self.answers.types.entry(key).or_insert_with(|| ctype::find(&types, kind, name, Space::Kernel)).clone()
    }

    /// A struct by its tag: the script's own, else the kernel's.
    pub fn struct_type(&mut self, tag: &str) -> Option<Ty> {
        self.definitions.ty(&format!("struct {tag}")).or_else(|| self.kernel_type(Kind::Struct, tag))
    }

    /// A constant of one of the kernel's enums, or one that its headers define.
    pub(super) fn kernel_constant(&mut self, name: &str, span: Span) -> Option<Expr> {
        if let Some((value, ty)) = self.definitions.constant(name) {
            return Some(Expr { kind: ExprKind::Int(value), ty, span });
        }
        let target = self.target;
        let answer = self.answers.constants.entry(name.to_owned()).or_insert_with(|| {
            let described = target.btf.as_ref().and_then(|btf| {
                let (constant, id) = btf.enum_constant(name)?;
                let value = constant.value;
                match ctype::of_btf(&Types::new(btf.clone()), id, Space::Kernel) {
                    ty @ Ty::Enum(_) => Some((value, ty)),
                    _ => Some((value, Ty::of_literal(value))),
                }
            });
            let call = name.strip_prefix("__NR_").and_then(|call| crate::syscalls::number(target.arch, call));
            let known = call.map(i64::from).or_else(|| crate::constants::find(name));
            described.or_else(|| known.map(|value| (value, Ty::of_literal(value))))
        });
        let (value, ty) = answer.clone()?;
        Some(Expr { kind: ExprKind::Int(value), ty, span })
    }
}
