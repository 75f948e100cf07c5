//! Types: where one is written, and whether one is.
//!
//! Names of types are not known here, so some texts could be either. `(name) x` is a cast where `x` could not follow a value, or where the name
//! is that of a type; in `sizeof(name)` a bare unknown name is left as an expression for later passes to resolve.

use crate::ast::{Expr, ExprKind, TypeBase, TypeName, TypeOrExpr};
use crate::span::{Span, Spanned};
use crate::token::Kind;

use super::cursor::{Parsed, Parser};

/// Types of the language and of C that are a plain name.
const TYPES: &[&str] = &[
    "bool",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "void",
    "string",
    "buffer",
    "inet",
    "timestamp",
    "char",
    "short",
    "int",
    "long",
    "signed",
    "unsigned",
    "float",
    "double",
    "size_t",
    "ssize_t",
];

/// Words of C types made of several.
const C_WORDS: &[&str] = &["unsigned", "signed", "long", "short", "int", "char"];

/// Builtins: values, never the name of a type.
const VALUES: &[&str] = &[
    "args",
    "cgroup",
    "comm",
    "cpid",
    "cpu",
    "ctx",
    "curtask",
    "elapsed",
    "func",
    "gid",
    "jiffies",
    "kstack",
    "ncpus",
    "nsecs",
    "numaid",
    "pcomm",
    "pid",
    "ppid",
    "probe",
    "probetype",
    "rand",
    "retval",
    "tid",
    "uid",
    "usermode",
    "username",
    "ustack",
];

/// Whether the name is that of a type the language or C has, or looks like one.
pub(crate) fn is_type(name: &str) -> bool {
    name.ends_with("_t") || name.split(' ').all(|word| TYPES.contains(&word) || C_WORDS.contains(&word))
}

fn is_value(name: &str) -> bool {
    let is_argument = name
        .strip_prefix("sarg")
        .or_else(|| name.strip_prefix("arg"))
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()));
    is_argument || matches!(name, "true" | "false") || VALUES.contains(&name)
}

impl Parser<'_> {
    /// A type where nothing else may stand.
    pub(super) fn type_name(&mut self) -> Parsed<TypeName> {
        self.nested(|parser| {
            let start = parser.token.span;
            let base = parser.type_base()?;
            parser.type_suffixes(start, base)
        })
    }

    pub(super) fn type_base(&mut self) -> Parsed<TypeBase> {
        if self.at(Kind::LParen) {
            let open = self.bump().span;
            let types = self.list(Kind::RParen, Self::type_name)?;
            self.expect_closing(Kind::RParen, open)?;
            return Ok(TypeBase::Tuple(types));
        }
        if !self.at(Kind::Ident) {
            return Err(self.expected("a type"));
        }
        match self.text(self.token) {
            "typeof" if self.peek() == Kind::LParen => Ok(TypeBase::Typeof(Box::new(self.type_or_expr_in_parens()?))),
            keyword @ ("struct" | "union" | "enum") => {
                self.bump();
                let name = self.expect_name("the name of a type")?.node;
                Ok(match keyword {
                    "struct" => TypeBase::Struct(name),
                    "union" => TypeBase::Union(name),
                    _ => TypeBase::Enum(name),
                })
            }
            "const" | "volatile" if self.peek() == Kind::Ident => {
                self.bump();
                self.nested(Self::type_base)
            }
            word if C_WORDS.contains(&word) => {
                let mut words = vec![];
                while self.at(Kind::Ident) && C_WORDS.contains(&self.text(self.token)) {
                    words.push(self.take_text().node);
                }
                Ok(TypeBase::Name(words.join(" ")))
            }
            word if self.expand && self.is_replaced(word) => self.replaced_type(),
            _ => Ok(TypeBase::Name(self.take_text().node)),
        }
    }

    /// `*`s, then `[n]`s with a plain number or name.
    fn type_suffixes(&mut self, start: Span, base: TypeBase) -> Parsed<TypeName> {
        let mut pointers = 0u8;
        while self.eat(Kind::Star) {
            pointers = pointers.checked_add(1).ok_or_else(|| self.too_deep())?;
        }
        let mut arrays = vec![];
        while self.at(Kind::LBracket) {
            let open = self.bump().span;
            let length = match self.token.kind {
                Kind::RBracket => None,
                Kind::Int | Kind::Ident | Kind::Positional => Some(self.primary()?),
                _ => return Err(self.expected("the length of the array")),
            };
            self.expect_closing(Kind::RBracket, open)?;
            arrays.push(length);
        }
        Ok(TypeName { base, pointers, arrays, span: self.since(start) })
    }

    /// A type, where there is one; nothing is reported and nothing taken otherwise.
    fn try_type(&mut self) -> Option<TypeName> {
        if !self.at(Kind::Ident) || is_value(self.text(self.token)) || self.is_replaced_by_value() {
            return None;
        }
        let mark = self.mark();
        match self.type_name() {
            Ok(ty) => Some(ty),
            Err(_) => {
                self.reset(mark);
                None
            }
        }
    }

    /// `(type)x` after the parenthesis at `open`; takes nothing where it is no cast.
    pub(super) fn cast(&mut self, open: Span) -> Parsed<Option<Expr>> {
        let mark = self.mark();
        let Some(ty) = self.try_type() else { return Ok(None) };
        if !self.at(Kind::RParen) {
            self.reset(mark);
            return Ok(None);
        }
        self.bump();
        if !self.casts(&ty) {
            self.reset(mark);
            return Ok(None);
        }
        let operand = self.nested(Self::unary)?;
        self.above(self.height)?;
        Ok(Some(Spanned { node: ExprKind::Cast { ty, operand: Box::new(operand) }, span: self.since(open) }))
    }

    /// Whether what stands at the current token is cast to `ty`, which was written in parentheses.
    fn casts(&self, ty: &TypeName) -> bool {
        let certain = match &ty.base {
            TypeBase::Name(name) => is_type(name) || ty.pointers > 0,
            _ => true,
        };
        match self.token.kind {
            Kind::Ident
            | Kind::Int
            | Kind::Str
            | Kind::Variable
            | Kind::Map
            | Kind::Positional
            | Kind::PositionalCount
            | Kind::LParen
            | Kind::Bang
            | Kind::Tilde => true,
            Kind::Minus => certain || ty.arrays.is_empty(),
            Kind::Star | Kind::Amp | Kind::PlusPlus | Kind::MinusMinus => certain,
            _ => {
                certain
                    && matches!(
                        ty.base,
                        TypeBase::Typeof(_) | TypeBase::Struct(_) | TypeBase::Union(_) | TypeBase::Enum(_)
                    )
            }
        }
    }

    /// `word(type or expression)`
    pub(super) fn type_or_expr_in_parens(&mut self) -> Parsed<TypeOrExpr> {
        self.bump();
        let open = self.expect(Kind::LParen)?.span;
        let operand = self.outside_predicate(|parser| parser.type_or_expr(&[Kind::RParen]))?;
        self.expect_closing(Kind::RParen, open)?;
        self.above(self.height)?;
        Ok(operand)
    }

    /// A type that is surely one and ends before one of `ends`, else an expression.
    pub(super) fn type_or_expr(&mut self, ends: &[Kind]) -> Parsed<TypeOrExpr> {
        let mark = self.mark();
        if let Some(ty) = self.try_type() {
            let certain = match &ty.base {
                TypeBase::Name(name) => {
                    let replaced = self.expand && self.is_replaced(name);
                    is_type(name) || (!replaced && has_suffix(&ty))
                }
                _ => true,
            };
            if certain && ends.contains(&self.token.kind) {
                return Ok(TypeOrExpr::Type(ty));
            }
        }
        self.reset(mark);
        Ok(TypeOrExpr::Expr(Box::new(self.expression()?)))
    }
}

fn has_suffix(ty: &TypeName) -> bool {
    ty.pointers > 0 || !ty.arrays.is_empty()
}
