//! Types as C declares them: for listing a probe's arguments and a struct's members.

use std::fmt::Write;

use super::types::{Kind, Type};
use super::{Btf, TypeId};

/// The deepest nesting of types that is written out; a deeper one is a loop.
const DEPTH: usize = 32;

impl Btf {
    /// A variable of a type as C declares it: `char comm[16]`, `int (*open)(struct inode *)`. Without a name, the type alone.
    pub fn declaration(&self, ty: TypeId, name: &str) -> String {
        self.declare(ty, name.to_owned(), None, DEPTH)
    }

    /// A struct, union or enum with its members, as C defines it; `None` for other types and those only declared.
    pub fn definition(&self, ty: TypeId) -> Option<String> {
        matches!(self.kind(ty)?, Kind::Struct | Kind::Union | Kind::Enum | Kind::Enum64)
            .then(|| self.body(ty, 0, DEPTH))
    }

    /// `declarator` is what has been read from the inside out so far. With an indentation, types without a name are written out.
    fn declare(&self, ty: TypeId, declarator: String, indent: Option<usize>, depth: usize) -> String {
        let Some(depth) = depth.checked_sub(1) else { return declarator };
        let starts_with_pointer = declarator.starts_with('*');
        let wrapped = |text: String| if starts_with_pointer { format!("({text})") } else { text };
        match self.ty(ty) {
            Some(Type::Ptr(to)) => self.declare(to, format!("*{declarator}"), indent, depth),
            Some(Type::Array { element, len }) => {
                self.declare(element, format!("{}[{len}]", wrapped(declarator)), indent, depth)
            }
            Some(Type::FuncProto { result }) => {
                let params: Vec<String> =
                    self.params(ty).map(|param| self.declare(param.ty, String::new(), None, depth)).collect();
                let params = if params.is_empty() { "void".to_owned() } else { params.join(", ") };
                self.declare(result, format!("{}({params})", wrapped(declarator)), indent, depth)
            }
            Some(Type::Qualified { of, .. }) => self.qualified(ty, of, declarator, indent, depth),
            _ => {
                let base = match indent {
                    Some(indent) if self.name(ty).is_empty() && self.definition_kind(ty) => {
                        self.body(ty, indent, depth)
                    }
                    _ => self.base(ty),
                };
                if declarator.is_empty() { base } else { format!("{base} {declarator}") }
            }
        }
    }

    fn qualified(&self, ty: TypeId, of: TypeId, declarator: String, indent: Option<usize>, depth: usize) -> String {
        let word = match self.kind(ty) {
            Some(Kind::Const) => "const",
            Some(Kind::Volatile) => "volatile",
            // `restrict` says nothing to a reader, and tags are the kernel's own.
            _ => return self.declare(of, declarator, indent, depth),
        };
        if self.kind(self.resolve(of)) == Some(Kind::Ptr) && self.kind(of) == Some(Kind::Ptr) {
            let declarator = format!("{word} {declarator}").trim_end().to_owned();
            return self.declare(of, declarator, indent, depth);
        }
        format!("{word} {}", self.declare(of, declarator, indent, depth))
    }

    fn definition_kind(&self, ty: TypeId) -> bool {
        matches!(self.kind(ty), Some(Kind::Struct | Kind::Union | Kind::Enum | Kind::Enum64))
    }

    /// The name of a type that is neither pointer, array nor function.
    fn base(&self, ty: TypeId) -> String {
        let (word, name) = match self.ty(ty) {
            None | Some(Type::Void) => return "void".to_owned(),
            Some(Type::Struct { name, .. } | Type::Fwd { name, union: false }) => ("struct", name),
            Some(Type::Union { name, .. } | Type::Fwd { name, union: true }) => ("union", name),
            Some(Type::Enum { name, .. }) => ("enum", name),
            Some(_) => return self.name(ty).to_owned(),
        };
        format!("{word} {}", if name.is_empty() { "{ ... }" } else { name })
    }

    fn body(&self, ty: TypeId, indent: usize, depth: usize) -> String {
        let tabs = "\t".repeat(indent + 1);
        let word = match self.kind(ty) {
            Some(Kind::Union) => "union",
            Some(Kind::Enum | Kind::Enum64) => "enum",
            _ => "struct",
        };
        let mut text =
            [word, self.name(ty), "{"].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
        text.push('\n');
        // Writing to a string does not fail.
        for constant in self.enum_constants(ty) {
            let _ = writeln!(text, "{tabs}{} = {},", constant.name, constant.value);
        }
        for member in self.members(ty) {
            let bits = member.bit_width.map_or(String::new(), |width| format!(": {width}"));
            let declared = self.declare(member.ty, member.name.to_owned(), Some(indent + 1), depth);
            let _ = writeln!(text, "{tabs}{declared}{bits};");
        }
        let _ = write!(text, "{}}}", "\t".repeat(indent));
        text
    }
}
