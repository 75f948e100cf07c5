//! Expressions, except operators and access to parts of a value.

use std::rc::Rc;

use super::Checker;
use super::comptime::{Chosen, chosen};
use super::soft::{Soft, unify_soft};
use crate::ast::{Block, Expr, ExprKind, StepOp, TypeOrExpr};
use crate::builtin;
use crate::ctype;
use crate::diagnostic::Diagnostic;
use crate::function;
use crate::hir::{self, StepTarget};
use crate::nearest::nearest;
use crate::span::{Span, Spanned};
use crate::types::{I64, Ty, U64};

impl Checker<'_> {
    /// The meaning and type of an expression. `count()` and its kin are none: see [`Self::assigned`].
    pub fn expr(&mut self, e: &Expr) -> hir::Expr {
        let checked = self.assigned(e);
        if !matches!(checked.kind, hir::ExprKind::Aggregate(_)) {
            return checked;
        }
        self.report(
            Diagnostic::error("E0605", e.span, "the result must be assigned to a map")
                .help("write `@ = ` before it, or `@name[key] = `"),
        );
        hir::Expr::poison(e.span)
    }

    /// The meaning and type of what is assigned to a map, where `count()` and its kin may stand.
    pub(super) fn assigned(&mut self, e: &Expr) -> hir::Expr {
        let span = e.span;
        match &e.node {
            ExprKind::Int { value, .. } => match i64::try_from(*value) {
                Ok(value) => hir::Expr::int(value, span),
                Err(_) => hir::Expr { kind: hir::ExprKind::Int(*value as i64), ty: U64, span },
            },
            ExprKind::Str(text) => self.string(text, span),
            ExprKind::Bool(value) => hir::Expr { kind: hir::ExprKind::Int(i64::from(*value)), ty: Ty::Bool, span },
            ExprKind::Ident(name) => self.ident(name, span),
            ExprKind::Variable(name) => self.variable(name, span),
            ExprKind::Map(name) => {
                let name = Spanned { node: name.clone(), span };
                self.map_value_expr(&name, None, span)
            }
            ExprKind::MapAccess { name, key } => {
                let key = self.key(key, span);
                self.map_value_expr(name, Some(key), span)
            }
            ExprKind::Positional(number) => self.positional(*number, span),
            ExprKind::PositionalCount => hir::Expr::int(self.options.args.len() as i64, span),
            ExprKind::Call { name, args } => self.call(name, args, span),
            ExprKind::Unary { op, operand } => self.unary(*op, operand, span),
            ExprKind::Step { op, target } => self.step(*op, target, span),
            ExprKind::Binary { op, left, right } => {
                let left = self.expr(left);
                let right = self.expr(right);
                self.binary(*op, left, right, span)
            }
            ExprKind::Ternary { condition, then, otherwise } => {
                self.ternary(condition, then.as_deref(), otherwise, span)
            }
            ExprKind::Field { base, field, .. } => self.field(base, field, span),
            ExprKind::Index { base, index } => self.index(base, index, span),
            ExprKind::Cast { ty, operand } => self.cast(ty, operand, span),
            ExprKind::Tuple(items) => self.tuple(items, span),
            ExprKind::Record(items) => self.record(items, span),
            ExprKind::Sizeof(of) => self.sizeof(of, span),
            ExprKind::Offsetof { base, path } => self.offsetof(base, path, span),
            ExprKind::Typeof(_) => self.unsupported(span, "a type as a value"),
            ExprKind::Typeinfo(of) => self.typeinfo(of, span),
            ExprKind::Block(block) => self.block_expr(block, span),
            ExprKind::If { condition, then, otherwise } => self.if_expr(condition, then, otherwise.as_ref(), span),
        }
    }

    /// A constant string, which must fit where strings are kept.
    pub(super) fn string(&mut self, text: &str, span: Span) -> hir::Expr {
        let (most, length) = (self.config.max_strlen as usize, report::raw::bytes(text).len());
        if length >= most {
            let message = format!("a string of {length} bytes is longer than max_strlen - 1 = {}", most - 1);
            self.report(Diagnostic::error("E0303", span, message).help("raise it with `config = { max_strlen = .. }`"));
            return hir::Expr::poison(span);
        }
        hir::Expr::str(text, span)
    }

    fn ident(&mut self, name: &str, span: Span) -> hir::Expr {
        if let Some(found) = builtin::find(name.strip_prefix("__builtin_").unwrap_or(name)) {
            return (found.check)(self, span);
        }
        if let Some(constant) = self.kernel_constant(name, span) {
            return constant;
        }
        // What needs no arguments is called without parentheses too.
        if function::find(name).is_some_and(|function| function.args.0 == 0) {
            return self.call(&Spanned { node: name.to_owned(), span }, &[], span);
        }
        if !self.target.complete && self.target.btf.is_none() && name.chars().any(|c| c.is_ascii_uppercase()) {
            // Some node's kernel may have a constant of this name.
            return hir::Expr::poison(span);
        }
        let d = Diagnostic::error("E0201", span, format!("unknown name `{name}`"));
        let d = match nearest(name, builtin::names()) {
            Some(near) => d.help(format!("did you mean `{near}`?")),
            None if function::find(name).is_some() => {
                d.help(format!("functions are called with parentheses: `{name}()`"))
            }
            None => d,
        };
        self.report(d);
        hir::Expr::poison(span)
    }

    fn map_value_expr(&mut self, name: &Spanned<String>, key: Option<hir::Expr>, span: Span) -> hir::Expr {
        let target = self.map_use(name, key, span);
        self.require_assigned(&name.node, span);
        let ty = self.map_value(&name.node);
        if let Ty::Aggregate(kind) = &ty {
            return self.total(target, kind.clone(), span);
        }
        hir::Expr { kind: hir::ExprKind::Map { map: target.map, key: target.key.map(Box::new) }, ty, span }
    }

    /// A map's key: one expression, or several as a tuple.
    pub fn key(&mut self, key: &[Expr], span: Span) -> hir::Expr {
        let checked = match key {
            [single] => self.expr(single),
            several => {
                let span = several.first().zip(several.last()).map_or(span, |(a, b)| a.span.to(b.span));
                self.tuple(several, span)
            }
        };
        let bad = match &checked.ty {
            Ty::Void | Ty::Aggregate(_) => true,
            ty => !ty.is_unknown() && ty.schema().is_none(),
        };
        if bad {
            return self.error("E0609", checked.span, format!("`{}` cannot be a map key", checked.ty));
        }
        checked
    }

    pub(super) fn tuple(&mut self, items: &[Expr], span: Span) -> hir::Expr {
        let items: Vec<hir::Expr> = items.iter().map(|item| self.component(item)).collect();
        let ty = Ty::Tuple(items.iter().map(|item| item.ty.clone()).collect());
        hir::Expr { kind: hir::ExprKind::Tuple(items), ty, span }
    }

    fn record(&mut self, items: &[(Spanned<String>, Expr)], span: Span) -> hir::Expr {
        let values: Vec<hir::Expr> = items.iter().map(|(_, item)| self.component(item)).collect();
        let ty =
            Ty::Record(items.iter().zip(&values).map(|((n, _), value)| (n.node.clone(), value.ty.clone())).collect());
        hir::Expr { kind: hir::ExprKind::Tuple(values), ty, span }
    }

    fn component(&mut self, item: &Expr) -> hir::Expr {
        let checked = self.expr(item);
        match &checked.ty {
            Ty::Void | Ty::Aggregate(_) => {
                self.error("E0304", item.span, format!("`{}` cannot be part of a tuple", checked.ty))
            }
            _ => checked,
        }
    }

    /// `$1` and its kin: a number where the argument is one, else a string; 0 where there is none.
    fn positional(&mut self, number: u32, span: Span) -> hir::Expr {
        let text = (number as usize).checked_sub(1).and_then(|index| self.options.args.get(index)).cloned();
        match text {
            None => {
                let message = format!("Positional parameter ${number} is empty or not provided.");
                self.report(Diagnostic::warning("W0204", span, message).help("it is 0, and empty as a string"));
                hir::Expr::int(0, span)
            }
            Some(text) => match super::constant::parse_integer(&text) {
                Some(value) => hir::Expr::int(value, span),
                None => self.string(&text, span),
            },
        }
    }

    fn step(&mut self, op: StepOp, target: &Expr, span: Span) -> hir::Expr {
        let delta = if matches!(op, StepOp::PreIncrement | StepOp::PostIncrement) { 1 } else { -1 };
        let before = matches!(op, StepOp::PreIncrement | StepOp::PreDecrement);
        let (target, ty) = match &target.node {
            ExprKind::Variable(name) => {
                let old = self.variable(name, target.span);
                let Some((var, ty)) = self.find_variable(name) else { return old };
                if !ty.is_countable() {
                    return self.error(
                        "E0305",
                        span,
                        format!("`{name}` holds `{ty}`, which cannot be counted up or down"),
                    );
                }
                (StepTarget::Var(var), self.count_variable(var, name, delta > 0, span))
            }
            ExprKind::Map(_) | ExprKind::MapAccess { .. } => {
                let used = match &target.node {
                    ExprKind::MapAccess { name, key } => {
                        let key = self.key(key, target.span);
                        self.map_use(name, Some(key), target.span)
                    }
                    ExprKind::Map(name) => {
                        self.map_use(&Spanned { node: name.clone(), span: target.span }, None, target.span)
                    }
                    _ => return hir::Expr::poison(span),
                };
                let old = self.map_value(&used.name);
                if !old.is_countable() {
                    let message = format!("`{}` holds `{old}`, which cannot be counted up or down", used.name);
                    return self.error("E0305", span, message);
                }
                if !matches!(old, Ty::Pointer { .. }) {
                    let (ty, soft) = if delta > 0 { (Ty::of_literal(1), Soft::Yes) } else { (I64, Soft::No) };
                    self.assign_map(&used, &ty, &soft, span);
                }
                let ty = self.map_value(&used.name);
                (StepTarget::Map(used.map, used.key), ty)
            }
            _ => return self.error("E0208", target.span, "only a map or a variable can be counted up or down"),
        };
        let delta = match &ty {
            Ty::Pointer { to, .. } => delta * i64::from(to.size_in_c().max(1)),
            _ => delta,
        };
        hir::Expr { kind: hir::ExprKind::Step { target: Box::new(target), delta, before }, ty, span }
    }

    fn ternary(&mut self, condition: &Expr, then: Option<&Expr>, otherwise: &Expr, span: Span) -> hir::Expr {
        let condition_value = self.condition(condition);
        let then = match then {
            Some(then) => self.expr(then),
            None => self.expr(condition),
        };
        let otherwise = self.expr(otherwise);
        self.choice(condition_value, then, otherwise, span)
    }

    fn choice(&mut self, condition: hir::Expr, then: hir::Expr, otherwise: hir::Expr, span: Span) -> hir::Expr {
        let joined = if then.ty == Ty::Void && otherwise.ty == Ty::Void {
            Some(Ty::Void)
        } else {
            let (one, other) = (self.softness(&then), self.softness(&otherwise));
            unify_soft((&then.ty, &one), (&otherwise.ty, &other)).map(|(ty, _)| ty)
        };
        let Some(ty) = joined else {
            let message = format!("the two sides are of different types, `{}` and `{}`", then.ty, otherwise.ty);
            return self.error("E0306", span, message);
        };
        let (then, otherwise) = (Box::new(then), Box::new(otherwise));
        hir::Expr { kind: hir::ExprKind::Ternary { condition: Box::new(condition), then, otherwise }, ty, span }
    }

    /// A block whose value is wanted.
    fn block_expr(&mut self, block: &Block, span: Span) -> hir::Expr {
        let around = (self.in_value, self.loops, self.unrolls);
        (self.in_value, self.loops, self.unrolls) = (true, 0, 0);
        let checked = self.open_block(block, span);
        (self.in_value, self.loops, self.unrolls) = around;
        checked
    }

    /// A block as an expression.
    pub(super) fn open_block(&mut self, block: &Block, span: Span) -> hir::Expr {
        self.open_scope();
        self.blocks.push(span);
        let stmts = self.stmts(&block.stmts).into_iter().map(Rc::new).collect();
        let value = match &block.value {
            Some(value) => self.expr(value),
            None => hir::Expr { kind: hir::ExprKind::Int(0), ty: Ty::Void, span },
        };
        self.close_scope();
        self.blocks.pop();
        let stmts: Vec<Rc<hir::Stmt>> = stmts;
        if stmts.is_empty() && block.value.is_some() {
            return value;
        }
        let ty = value.ty.clone();
        hir::Expr { kind: hir::ExprKind::Block { stmts, value: Box::new(value) }, ty, span }
    }

    fn if_expr(&mut self, condition: &Expr, then: &Block, otherwise: Option<&Block>, span: Span) -> hir::Expr {
        let written = condition;
        let condition = self.condition(written);
        let Some(otherwise) = otherwise else {
            return self.error("E0307", span, "an `if` with a value needs an `else`");
        };
        if let Chosen::Now(block) = chosen(written, &condition, then, Some(otherwise)) {
            return match block {
                Some(block) => self.block_expr(block, block.span),
                None => hir::Expr::poison(span),
            };
        }
        let then = self.block_expr(then, then.span);
        let otherwise = self.block_expr(otherwise, otherwise.span);
        self.choice(condition, then, otherwise, span)
    }

    fn sizeof(&mut self, of: &TypeOrExpr, span: Span) -> hir::Expr {
        let ty = match (self.asked_type(of), of) {
            // A constant's own size is that of a number, whatever its enum's is.
            (Ty::Enum(_), TypeOrExpr::Expr(e)) if self.expr(e).constant().is_some() => U64,
            (ty, _) => ty,
        };
        if ty.is_unknown() {
            return hir::Expr::poison(span);
        }
        hir::Expr::int(i64::from(ctype::layout_in_c(&ty).size), span)
    }

    /// The type that `sizeof` and its kin are asked about; of a map's values the least that holds them.
    fn asked_type(&mut self, of: &TypeOrExpr) -> Ty {
        let ty = self.type_or_expr(of);
        let map = match of {
            TypeOrExpr::Expr(e) if ty.is_integer() => match &e.node {
                ExprKind::Map(name) => name,
                ExprKind::MapAccess { name, .. } => &name.node,
                _ => return ty,
            },
            _ => return ty,
        };
        match self.needed_type(map) {
            Ty::Aggregate(_) => ty,
            needed => needed,
        }
    }

    /// What is known of a type, as constants.
    fn typeinfo(&mut self, of: &TypeOrExpr, span: Span) -> hir::Expr {
        let ty = self.asked_type(of);
        if ty.is_unknown() {
            return hir::Expr::poison(span);
        }
        let fields = [
            ("btf_id", hir::Expr::int(0, span)),
            ("base_type", hir::Expr::str(kind_name(&ty), span)),
            ("full_type", hir::Expr::str(&ty.to_string(), span)),
        ];
        let ty = Ty::Record(fields.iter().map(|(name, value)| ((*name).to_owned(), value.ty.clone())).collect());
        let values = fields.into_iter().map(|(_, value)| value).collect();
        hir::Expr { kind: hir::ExprKind::Tuple(values), ty, span }
    }

    fn offsetof(&mut self, base: &TypeOrExpr, path: &[Spanned<String>], span: Span) -> hir::Expr {
        let mut ty = self.type_or_expr(base);
        let mut offset = 0;
        for name in path {
            let Some(place) = self.member(&ty, name) else { return hir::Expr::poison(span) };
            offset += i64::from(place.offset);
            ty = place.ty;
        }
        hir::Expr::int(offset, span)
    }
}

/// What kind of type it is, in a word.
fn kind_name(ty: &Ty) -> &'static str {
    match ty {
        Ty::Int { .. } => "int",
        Ty::Bool => "bool",
        Ty::Str { .. } => "string",
        Ty::Pointer { .. } => "pointer",
        Ty::Struct(_) => "record",
        Ty::Array { .. } => "array",
        Ty::Tuple(_) => "tuple",
        Ty::Record(_) => "record",
        Ty::Buf { .. } => "buffer",
        Ty::Enum(_) => "enum",
        Ty::Kstack(_) => "kstack",
        Ty::Ustack(_) => "ustack",
        _ => "none",
    }
}
