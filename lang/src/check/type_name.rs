//! Types as the script writes them.

use std::rc::Rc;

use bpf::btf::Kind;

use super::Checker;
use super::operator::pointer_to;
use crate::ast::{ExprKind, TypeBase, TypeName, TypeOrExpr};
use crate::diagnostic::Diagnostic;
use crate::types::{Space, Ty};
use crate::{builtin, ctype};

impl Checker<'_> {
    /// The type a script names; `Unknown` once what is wrong has been reported.
    pub fn type_name(&mut self, written: &TypeName) -> Ty {
        let mut ty = self.type_base(written);
        for _ in 0..written.pointers {
            ty = pointer_to(ty, Space::Any);
        }
        for len in written.arrays.iter().rev() {
            let Some(len) = len else {
                self.unsupported(written.span, "an array without length");
                return Ty::Unknown;
            };
            let value = self.expr(len);
            let Some(n) = value.constant().and_then(|n| u32::try_from(n).ok()) else {
                self.error("E0320", len.span, "an array's length is a constant");
                return Ty::Unknown;
            };
            ty = match ty {
                Ty::Str { .. } => Ty::Str { size: n },
                ty => Ty::Array { element: Rc::new(ty), len: n },
            };
        }
        ty
    }

    fn type_base(&mut self, written: &TypeName) -> Ty {
        match &written.base {
            TypeBase::Name(name) => self.plain_type(name, written),
            TypeBase::Struct(name) => self.tagged_type(Kind::Struct, "struct", name, written),
            TypeBase::Union(name) => self.tagged_type(Kind::Union, "union", name, written),
            TypeBase::Enum(name) => self.tagged_type(Kind::Enum, "enum", name, written),
            TypeBase::Typeof(of) => self.type_or_expr(of),
            TypeBase::Tuple(items) => Ty::Tuple(items.iter().map(|item| self.type_name(item)).collect()),
        }
    }

    fn plain_type(&mut self, name: &str, written: &TypeName) -> Ty {
        if let Some(ty) = ctype::integer(name) {
            return ty;
        }
        match name {
            "bool" => return Ty::Bool,
            "void" => return Ty::Void,
            "string" => return Ty::Str { size: self.config.max_strlen - 1 },
            "inet" => return Ty::Inet,
            "ksym_t" => return Ty::Ksym,
            "usym_t" => return Ty::Usym,
            _ => {}
        }
        self.bare_type(name).unwrap_or_else(|| self.unknown_type(name, written))
    }

    /// A type by a name of its own: a typedef, or a struct whose keyword was left out.
    fn bare_type(&mut self, name: &str) -> Option<Ty> {
        let defined = self.definitions.ty(name);
        defined.or_else(|| self.kernel_type(Kind::Typedef, name)).or_else(|| self.kernel_type(Kind::Struct, name))
    }

    /// The type that `sizeof` and its kin are asked about; a bare name may be a type's or a value's.
    pub fn type_or_expr(&mut self, of: &TypeOrExpr) -> Ty {
        match of {
            TypeOrExpr::Type(ty) => self.type_name(ty),
            TypeOrExpr::Expr(e) => match &e.node {
                ExprKind::Typeof(of) => self.type_or_expr(of),
                ExprKind::Ident(name) if builtin::find(name).is_none() => match self.bare_type(name) {
                    Some(ty) => ty,
                    None => self.expr(e).ty,
                },
                _ => self.expr(e).ty,
            },
        }
    }

    fn tagged_type(&mut self, kind: Kind, keyword: &str, name: &str, written: &TypeName) -> Ty {
        let full = format!("{keyword} {name}");
        let found = self.definitions.ty(&full).or_else(|| self.kernel_type(kind, name));
        found.unwrap_or_else(|| self.unknown_type(&full, written))
    }

    fn unknown_type(&mut self, name: &str, written: &TypeName) -> Ty {
        if self.target.btf.is_some() {
            let d = Diagnostic::error("E0321", written.span, format!("unknown type `{name}`"));
            self.report(d.help("types are defined in the script or come from the running kernel's BTF"));
        } else if self.target.complete {
            let d = Diagnostic::error("E0322", written.span, format!("`{name}` is not known: this kernel has no BTF"));
            self.report(d.help("a kernel built with CONFIG_DEBUG_INFO_BTF describes its types"));
        }
        Ty::Unknown
    }
}
