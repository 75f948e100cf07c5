//! The text form of a checked script, for `-d hir`: one line a statement, with the types of variables, maps and what is assigned.

use std::fmt::{Display, Formatter, Result};

use super::{Aggregate, Expr, ExprKind, Map, MapInfo, Probe, Program, StepTarget, Stmt, StmtKind, Turns, Var};
use crate::ast::BinaryOp;

impl Display for Program {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        for map in &self.maps {
            let key = map.key.as_ref().map_or(String::new(), |key| format!("[{key}]"));
            writeln!(f, "{}{key}: {}, {} elements", map.name, map.value, map.entries)?;
        }
        for probe in &self.probes {
            let body = Body { maps: &self.maps, depth: 1 };
            body.probe(f, probe)?;
        }
        Ok(())
    }
}

/// Where a statement stands, and the maps' names.
#[derive(Clone, Copy)]
struct Body<'a> {
    maps: &'a [MapInfo],
    depth: usize,
}

impl Body<'_> {
    fn probe(self, f: &mut Formatter<'_>, probe: &Probe) -> Result {
        for site in &probe.sites {
            writeln!(f, "{}", site.name)?;
        }
        for (index, ty) in probe.vars.iter().enumerate() {
            self.line(f, &format!("{}: {ty}", var(Var(index as u32))))?;
        }
        if let Some(predicate) = &probe.predicate {
            self.line(f, &format!("where {}", self.expr(predicate)))?;
        }
        self.stmts(f, &probe.body)
    }

    fn line(self, f: &mut Formatter<'_>, text: &str) -> Result {
        writeln!(f, "{:width$}{text}", "", width = self.depth * 4)
    }

    fn inner(self, f: &mut Formatter<'_>, stmts: &[Stmt]) -> Result {
        Self { depth: self.depth + 1, ..self }.stmts(f, stmts)
    }

    fn stmts(self, f: &mut Formatter<'_>, stmts: &[Stmt]) -> Result {
        stmts.iter().try_for_each(|stmt| self.stmt(f, &stmt.kind))
    }

    fn stmt(self, f: &mut Formatter<'_>, stmt: &StmtKind) -> Result {
        match stmt {
            StmtKind::Expr(e) => self.line(f, &self.expr(e)),
            StmtKind::SetVar { var: to, value } => self.line(f, &format!("{} = {}", var(*to), self.typed(value))),
            StmtKind::SetMap { map, key, value } => {
                self.line(f, &format!("{} = {}", self.element(*map, key.as_ref()), self.typed(value)))
            }
            StmtKind::AddMap { map, key, value, subtract } => {
                let op = if *subtract { "-=" } else { "+=" };
                self.line(f, &format!("{} {op} {}", self.element(*map, key.as_ref()), self.typed(value)))
            }
            StmtKind::Aggregate { map, key, aggregate } => {
                self.line(f, &format!("{} = {}", self.element(*map, key.as_ref()), self.aggregate(aggregate)))
            }
            StmtKind::If { condition, then, otherwise } => {
                self.line(f, &format!("if {}", self.expr(condition)))?;
                self.inner(f, then)?;
                if otherwise.is_empty() {
                    return Ok(());
                }
                self.line(f, "else")?;
                self.inner(f, otherwise)
            }
            StmtKind::While { condition, body, turns } => {
                self.line(f, &format!("while {}{}", self.expr(condition), called(*turns)))?;
                self.inner(f, body)
            }
            StmtKind::Unroll { count, body } => {
                self.line(f, &format!("unroll {count}"))?;
                self.inner(f, body)
            }
            StmtKind::ForRange { var: counter, start, end, body, turns } => {
                let (start, end) = (self.expr(start), self.expr(end));
                self.line(f, &format!("for {} : {start}..{end}{}", var(*counter), called(*turns)))?;
                self.inner(f, body)
            }
            StmtKind::ForMap { var: element, map, body } => {
                self.line(f, &format!("for {} : {}", var(*element), self.element(*map, None)))?;
                self.inner(f, body)
            }
            StmtKind::Break => self.line(f, "break"),
            StmtKind::Continue => self.line(f, "continue"),
            StmtKind::Return(value) => {
                self.line(f, &format!("return {}", value.as_ref().map_or(String::new(), |value| self.expr(value))))
            }
            StmtKind::Block(stmts) => self.inner(f, stmts),
        }
    }

    fn element(self, map: Map, key: Option<&Expr>) -> String {
        let name = self.maps.get(usize::from(map.0)).map_or("@?", |info| info.name.as_str());
        key.map_or_else(|| name.to_owned(), |key| format!("{name}[{}]", self.typed(key)))
    }

    fn aggregate(self, aggregate: &Aggregate) -> String {
        let value = aggregate.value.as_ref().map_or(String::new(), |value| self.typed(value));
        format!("{}({value})", aggregate.name)
    }

    /// With the type, unless that says no more than the value.
    fn typed(self, e: &Expr) -> String {
        format!("{}: {}", self.expr(e), e.ty)
    }

    fn list(self, items: &[Expr]) -> String {
        items.iter().map(|item| self.expr(item)).collect::<Vec<_>>().join(", ")
    }

    fn expr(self, e: &Expr) -> String {
        match &e.kind {
            ExprKind::Poison => "?".to_owned(),
            ExprKind::Int(value) => value.to_string(),
            ExprKind::Str(text) => format!("{text:?}"),
            ExprKind::Var(from) => var(*from),
            ExprKind::Map { map, key } => self.element(*map, key.as_deref()),
            ExprKind::Binary { op, signed, left, right } | ExprKind::Compare { op, signed, left, right } => {
                let (left, right, sign) = (self.expr(left), self.expr(right), if *signed { "s" } else { "" });
                format!("({left} {}{sign} {right})", symbol(*op))
            }
            ExprKind::Same { equal, left, right } => {
                format!("({} {} {})", self.expr(left), if *equal { "==" } else { "!=" }, self.expr(right))
            }
            ExprKind::Logical { and, left, right } => {
                format!("({} {} {})", self.expr(left), if *and { "&&" } else { "||" }, self.expr(right))
            }
            ExprKind::Not(of) => format!("!{}", self.expr(of)),
            ExprKind::Neg(of) => format!("-{}", self.expr(of)),
            ExprKind::BitNot(of) => format!("~{}", self.expr(of)),
            ExprKind::Ternary { condition, then, otherwise } => {
                format!("({} ? {} : {})", self.expr(condition), self.expr(then), self.expr(otherwise))
            }
            ExprKind::Cast(of) => format!("({}){}", e.ty, self.expr(of)),
            ExprKind::Tuple(items) => format!("({})", self.list(items)),
            ExprKind::Component { base, index } => format!("{}.{index}", self.expr(base)),
            ExprKind::Step { target, delta, before } => {
                let target = match &**target {
                    StepTarget::Var(counted) => var(*counted),
                    StepTarget::Map(map, key) => self.element(*map, key.as_ref()),
                };
                format!("({target} by {delta}, the value {})", if *before { "after" } else { "before" })
            }
            ExprKind::Memory { address, offset, space, bits } => {
                let bits = bits.map_or(String::new(), |(first, count)| format!(" bits {first}+{count}"));
                format!("{space:?}[{} + {offset}]{bits}", self.expr(address))
            }
            ExprKind::Context { offset } => format!("ctx[{offset}]"),
            ExprKind::Part { base, offset, .. } => format!("{}@{offset}", self.expr(base)),
            ExprKind::AddressOf(of) => format!("&{}", var(*of)),
            ExprKind::Element { base, index } => format!("{}[{}]", self.expr(base), self.expr(index)),
            ExprKind::Block { stmts, value } => format!("{{ {} statements; {} }}", stmts.len(), self.expr(value)),
            ExprKind::Intrinsic(of) => format!("{}()", of.name),
            ExprKind::Aggregate(aggregate) => self.aggregate(aggregate),
        }
    }
}

fn var(var: Var) -> String {
    format!("$v{}", var.0)
}

fn called(turns: Turns) -> &'static str {
    if turns == Turns::Called { " (each turn a call)" } else { "" }
}

fn symbol(op: BinaryOp) -> &'static str {
    use BinaryOp::*;
    match op {
        Or => "||",
        And => "&&",
        BitOr => "|",
        BitXor => "^",
        BitAnd => "&",
        Eq => "==",
        Ne => "!=",
        Lt => "<",
        Le => "<=",
        Gt => ">",
        Ge => ">=",
        Shl => "<<",
        Shr => ">>",
        Add => "+",
        Sub => "-",
        Mul => "*",
        Div => "/",
        Mod => "%",
    }
}
