//! Expressions and types as text, with the fewest parentheses that read back the same.

use crate::ast::{Expr, ExprKind, StepOp, TypeBase, TypeName, TypeOrExpr, UnaryOp};
use crate::lex::string::quote;
use crate::parse::is_type;
use crate::token::{precedence, symbol};

use super::layout::Printer;

/// Binds tighter than any binary operator.
const UNARY: u8 = 11;
const POSTFIX: u8 = 12;
const PRIMARY: u8 = 13;

/// How tightly an expression holds together by itself.
fn binding(expr: &ExprKind) -> u8 {
    match expr {
        ExprKind::Ternary { .. } => 0,
        ExprKind::Binary { op, .. } => precedence(*op),
        ExprKind::Unary { .. } | ExprKind::Cast { .. } => UNARY,
        ExprKind::Step { op: StepOp::PreIncrement | StepOp::PreDecrement, .. } => UNARY,
        ExprKind::Step { .. } | ExprKind::Field { .. } | ExprKind::Index { .. } => POSTFIX,
        _ => PRIMARY,
    }
}

/// Whether the first thing of an expression is a brace or an `if`.
fn starts_with_block(expr: &ExprKind) -> bool {
    match expr {
        ExprKind::Block(_) | ExprKind::If { .. } => true,
        ExprKind::Field { base, .. } | ExprKind::Index { base, .. } => starts_with_block(&base.node),
        _ => false,
    }
}

impl Printer<'_> {
    /// Prints an expression where one that binds at least as tightly as `floor` may stand.
    pub(super) fn expr(&mut self, expr: &Expr, floor: u8) {
        if binding(&expr.node) < floor {
            self.push("(");
            self.bare(&expr.node);
            self.push(")");
        } else {
            self.bare(&expr.node);
        }
    }

    fn bare(&mut self, expr: &ExprKind) {
        match expr {
            ExprKind::Int { value, text } if text.is_empty() => self.push(&value.to_string()),
            ExprKind::Int { text, .. } => self.push(text),
            ExprKind::Str(text) => self.push(&quote(text)),
            ExprKind::Bool(value) => self.push(if *value { "true" } else { "false" }),
            ExprKind::Ident(name) | ExprKind::Variable(name) | ExprKind::Map(name) => self.push(name),
            ExprKind::MapAccess { name, key } => {
                self.push(&name.node);
                self.push("[");
                self.list(key);
                self.push("]");
            }
            ExprKind::Positional(number) => self.push(&format!("${number}")),
            ExprKind::PositionalCount => self.push("$#"),
            ExprKind::Call { name, args } => {
                self.push(&name.node);
                self.push("(");
                self.list(args);
                self.push(")");
            }
            ExprKind::Unary { op, operand } => self.unary(*op, operand),
            ExprKind::Step { op, target } => self.step(*op, target),
            ExprKind::Binary { op, left, right } => {
                self.operand(left, precedence(*op));
                self.push(&format!(" {} ", symbol(*op)));
                self.operand(right, precedence(*op) + 1);
            }
            ExprKind::Ternary { condition, then, otherwise } => {
                self.expr(condition, 1);
                match then {
                    Some(then) => {
                        self.push(" ? ");
                        self.expr(then, 0);
                        self.push(" : ");
                    }
                    None => self.push(" ?: "),
                }
                self.expr(otherwise, 0);
            }
            ExprKind::Field { base, field, arrow } => {
                self.expr(base, POSTFIX);
                self.push(if *arrow { "->" } else { "." });
                self.push(&field.node);
            }
            ExprKind::Index { base, index } => {
                // `@x[i]` would be a key.
                let is_map = matches!(base.node, ExprKind::Map(_));
                self.expr(base, if is_map { PRIMARY + 1 } else { POSTFIX });
                self.push("[");
                self.expr(index, 0);
                self.push("]");
            }
            ExprKind::Cast { ty, operand } => self.cast(ty, operand),
            ExprKind::Tuple(items) => {
                self.push("(");
                self.list(items);
                self.push(if items.len() == 1 { ",)" } else { ")" });
            }
            ExprKind::Record(fields) => {
                for (index, (name, value)) in fields.iter().enumerate() {
                    self.push(if index == 0 { "(" } else { ", " });
                    self.push(&name.node);
                    self.push(" = ");
                    self.expr(value, 0);
                }
                self.push(")");
            }
            ExprKind::Sizeof(operand) => self.type_call("sizeof", operand),
            ExprKind::Typeof(operand) => self.type_call("typeof", operand),
            ExprKind::Typeinfo(operand) => self.type_call("typeinfo", operand),
            ExprKind::Offsetof { base, path } => {
                self.push("offsetof(");
                self.type_or_expr(base);
                let path: Vec<&str> = path.iter().map(|field| field.node.as_str()).collect();
                self.push(&format!(", {})", path.join(".")));
            }
            ExprKind::Block(block) => self.block(block),
            ExprKind::If { condition, then, otherwise } => self.if_value(condition, then, otherwise.as_ref()),
        }
    }

    fn list(&mut self, items: &[Expr]) {
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.push(", ");
            }
            self.expr(item, 0);
        }
    }

    /// Blocks as operands always get parentheses: a `/` before a brace ends a predicate.
    fn operand(&mut self, operand: &Expr, floor: u8) {
        let is_block = matches!(operand.node, ExprKind::Block(_) | ExprKind::If { .. });
        self.expr(operand, if is_block { PRIMARY + 1 } else { floor });
    }

    fn unary(&mut self, op: UnaryOp, operand: &Expr) {
        let sign = match op {
            UnaryOp::Neg => "-",
            UnaryOp::Not => "!",
            UnaryOp::BitNot => "~",
            UnaryOp::Deref => "*",
            UnaryOp::AddressOf => "&",
            UnaryOp::Comptime => {
                self.push("comptime (");
                self.expr(operand, 0);
                return self.push(")");
            }
        };
        self.push(sign);
        let mark = self.mark();
        self.expr(operand, UNARY);
        // `--` and `&&` would be one token.
        if matches!(op, UnaryOp::Neg | UnaryOp::AddressOf) && self.since(mark).starts_with(sign) {
            self.enclose(mark);
        }
    }

    fn step(&mut self, op: StepOp, target: &Expr) {
        match op {
            StepOp::PreIncrement => self.push("++"),
            StepOp::PreDecrement => self.push("--"),
            StepOp::PostIncrement | StepOp::PostDecrement => {}
        }
        self.expr(target, POSTFIX);
        match op {
            StepOp::PostIncrement => self.push("++"),
            StepOp::PostDecrement => self.push("--"),
            StepOp::PreIncrement | StepOp::PreDecrement => {}
        }
    }

    fn cast(&mut self, ty: &TypeName, operand: &Expr) {
        self.push("(");
        self.type_name(ty);
        self.push(")");
        let certain = match &ty.base {
            TypeBase::Name(name) => is_type(name) || ty.pointers > 0,
            _ => true,
        };
        let ambiguous = match &operand.node {
            node if starts_with_block(node) => true,
            node => !certain && binding(node) == UNARY && !matches!(node, ExprKind::Cast { .. }),
        };
        self.expr(operand, if ambiguous { PRIMARY + 1 } else { UNARY });
    }

    fn type_call(&mut self, name: &str, operand: &TypeOrExpr) {
        self.push(name);
        self.push("(");
        self.type_or_expr(operand);
        self.push(")");
    }

    fn type_or_expr(&mut self, operand: &TypeOrExpr) {
        match operand {
            TypeOrExpr::Type(ty) => self.type_name(ty),
            TypeOrExpr::Expr(expr) => {
                // Without parentheses these would be types.
                let like_type = match &expr.node {
                    ExprKind::Ident(name) => is_type(name),
                    ExprKind::Index { base, .. } => matches!(base.node, ExprKind::Ident(_) | ExprKind::Index { .. }),
                    _ => false,
                };
                self.expr(expr, if like_type { PRIMARY + 1 } else { 0 });
            }
        }
    }

    pub(super) fn type_name(&mut self, ty: &TypeName) {
        match &ty.base {
            TypeBase::Name(name) => self.push(name),
            TypeBase::Struct(name) => self.push(&format!("struct {name}")),
            TypeBase::Union(name) => self.push(&format!("union {name}")),
            TypeBase::Enum(name) => self.push(&format!("enum {name}")),
            TypeBase::Typeof(operand) => self.type_call("typeof", operand),
            TypeBase::Tuple(types) => {
                self.push("(");
                for (index, ty) in types.iter().enumerate() {
                    if index > 0 {
                        self.push(", ");
                    }
                    self.type_name(ty);
                }
                self.push(if types.len() == 1 { ",)" } else { ")" });
            }
        }
        if ty.pointers > 0 {
            self.push(" ");
            self.push(&"*".repeat(usize::from(ty.pointers)));
        }
        for length in &ty.arrays {
            self.push("[");
            if let Some(length) = length {
                self.expr(length, 0);
            }
            self.push("]");
        }
    }
}
