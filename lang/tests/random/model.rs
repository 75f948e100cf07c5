//! What a program does, by the language's rules: 64-bit arithmetic, signed if a side is, where a literal takes the
//! other side's sign.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::program::{Comparison, Cond, Expr, I64, Int, Kind, Op, Program, Stmt, Text, U64, Var};
use super::tables::Observed;

/// What a program prints.
pub fn output(program: &Program) -> String {
    let mut state = State { mixed: Some(&program.mixed), ..State::default() };
    state.run(&program.body);
    state.printed
}

#[derive(Default)]
struct State<'a> {
    /// The body of the macro.
    mixed: Option<&'a Expr>,
    params: [i64; 2],
    texts: BTreeMap<usize, String>,
    text_map: BTreeMap<i64, String>,
    pairs: BTreeMap<(i64, String), i64>,
    parts: BTreeMap<usize, [i64; 2]>,
    observed: BTreeMap<Kind, BTreeMap<i64, Observed>>,
    by: BTreeMap<String, i64>,
    vars: BTreeMap<String, i64>,
    loops: BTreeMap<usize, i64>,
    map: BTreeMap<i64, i64>,
    counted: BTreeMap<i64, i64>,
    printed: String,
}

/// The type of an expression.
fn ty(e: &Expr) -> Int {
    match e {
        Expr::Literal(_) | Expr::Loop(_) | Expr::Map(_) | Expr::Counted(_) | Expr::Choice(..) => I64,
        Expr::Pair(..) | Expr::Total(..) | Expr::Length(_) | Expr::Place(..) | Expr::Param(_) => I64,
        Expr::Call(..) => I64,
        Expr::Part(_, second) => {
            if *second {
                Int { signed: false, bits: 16 }
            } else {
                I64
            }
        }
        Expr::Var(var) => var.ty,
        Expr::Cast(ty, _) => *ty,
        Expr::Neg(of) | Expr::Not(of) => Int { bits: 64, ..ty(of) },
        Expr::Binary(op, a, b) => match op {
            Op::Sub => I64,
            _ if is_signed(*op, a, b) => I64,
            _ => U64,
        },
    }
}

/// Whether an operation is one on signed numbers.
fn is_signed(op: Op, a: &Expr, b: &Expr) -> bool {
    match (op, b) {
        (Op::Shl | Op::Shr, _) | (_, Expr::Literal(_)) => ty(a).signed,
        _ => ty(a).signed || ty(b).signed,
    }
}

fn fit(value: i64, ty: Int) -> i64 {
    let unused = 64 - ty.bits;
    match ty.signed {
        true => value << unused >> unused,
        false => ((value as u64) << unused >> unused) as i64,
    }
}

fn calculate(op: Op, signed: bool, a: i64, b: i64) -> i64 {
    match op {
        Op::Add => a.wrapping_add(b),
        Op::Sub => a.wrapping_sub(b),
        Op::Mul => a.wrapping_mul(b),
        Op::Div if signed => a.wrapping_div(b),
        Op::Div => (a as u64 / b as u64) as i64,
        Op::Mod if signed => a.wrapping_rem(b),
        Op::Mod => (a as u64 % b as u64) as i64,
        Op::And => a & b,
        Op::Or => a | b,
        Op::Xor => a ^ b,
        Op::Shl => a << b,
        Op::Shr if signed => a >> b,
        Op::Shr => (a as u64 >> b) as i64,
    }
}

fn text(value: i64, ty: Int) -> String {
    if ty.signed { value.to_string() } else { (value as u64).to_string() }
}

impl State<'_> {
    fn run(&mut self, body: &[Stmt]) {
        body.iter().for_each(|stmt| self.stmt(stmt));
    }

    fn set(&mut self, var: Var, value: i64) {
        self.vars.insert(var.to_string(), value);
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::Assign(var, value) => {
                let value = fit(self.eval(value), var.ty);
                self.set(*var, value);
            }
            Stmt::AddTo(var, value) => {
                let sum = self.eval(&Expr::Var(*var)).wrapping_add(self.eval(value));
                self.set(*var, sum);
            }
            Stmt::Step(var, up) => {
                let value = self.eval(&Expr::Var(*var)).wrapping_add(if *up { 1 } else { -1 });
                self.set(*var, value);
            }
            Stmt::SetMap(key, value) => {
                let (key, value) = (self.eval(key), self.eval(value));
                self.map.insert(key, value);
            }
            Stmt::Delete(key) => {
                let key = self.eval(key);
                self.map.remove(&key);
            }
            Stmt::Count(key) => {
                let key = self.eval(key);
                *self.counted.entry(key).or_default() += 1;
            }
            Stmt::If(cond, then, otherwise) => match self.holds(cond) {
                true => self.run(then),
                false => self.run(otherwise),
            },
            Stmt::For(number, end, body) | Stmt::While(number, end, body) => {
                for value in 0..*end {
                    self.loops.insert(*number, value);
                    self.run(body);
                }
            }
            Stmt::Unroll(times, body) => (0..*times).for_each(|_| self.run(body)),
            Stmt::Print(value) => {
                let line = text(self.eval(value), ty(value));
                self.line(&line);
            }
            Stmt::Printf(a, b, c) => {
                let line = format!("{} {} {:x}", self.eval(a), self.eval(b) as u64, self.eval(c));
                self.line(&line);
            }
            Stmt::PrintTuple(a, b) => {
                let line = format!("({}, {})", text(self.eval(a), ty(a)), text(self.eval(b), ty(b)));
                self.line(&line);
            }
            Stmt::SetText(number, of) => {
                let value = self.text(of);
                self.texts.insert(*number, value);
            }
            Stmt::SetTextMap(key, of) => {
                let (key, value) = (self.eval(key), self.text(of));
                self.text_map.insert(key, value);
            }
            Stmt::SetPair(key, of, value) => {
                let (key, of, value) = (self.eval(key), self.text(of), self.eval(value));
                self.pairs.insert((key, of), value);
            }
            Stmt::SetParts(number, a, b) => {
                let parts = [self.eval(a), fit(self.eval(b), Int { signed: false, bits: 16 })];
                self.parts.insert(*number, parts);
            }
            Stmt::Aggregate(kind, key, value) => {
                let (key, value) = (self.eval(key), self.eval(value));
                self.observed.entry(*kind).or_default().entry(key).or_default().add(value);
            }
            Stmt::CountText(of) => {
                let key = self.text(of);
                *self.by.entry(key).or_default() += 1;
            }
            Stmt::Raise(var, value) => self.stmt(&Stmt::AddTo(*var, value.clone())),
            Stmt::PrintText(of) => {
                let line = self.text(of);
                self.line(&line);
            }
            Stmt::PrintfText(a, b, c) => {
                let line = format!("{}|{:>12}|{:<12}", self.text(a), self.text(b), self.text(c));
                self.line(&line);
            }
            Stmt::PrintNested(a, of, b) => {
                let (a, b) = (text(self.eval(a), ty(a)), text(self.eval(b), ty(b)));
                let line = format!("({a}, ({}, {b}))", self.text(of));
                self.line(&line);
            }
            Stmt::PrintAll(map) => {
                let rows = self.rows(map);
                self.printed.push_str(&rows);
            }
        }
    }

    /// The rows of a map: by value, those of the same value by key.
    fn rows(&self, map: &str) -> String {
        let mut rows: Vec<(i64, String)> = match map {
            "pair" => {
                self.pairs.iter().map(|((a, b), value)| (*value, format!("@pair[{a}, {b}]: {value}\n"))).collect()
            }
            "by" => self.by.iter().map(|(key, count)| (*count, format!("@by[{key}]: {count}\n"))).collect(),
            _ => {
                let kind = Kind::ALL.into_iter().find(|kind| kind.name() == map).expect("a map of an aggregation");
                let elements = self.observed.get(&kind).into_iter().flatten();
                elements.map(|(key, observed)| (observed.rank(kind), observed.row(kind, *key))).collect()
            }
        };
        rows.sort_by_key(|(value, _)| *value);
        rows.into_iter().map(|(_, row)| row).collect()
    }

    fn text(&mut self, of: &Text) -> String {
        match of {
            Text::Literal(text) => (*text).to_owned(),
            Text::Var(number) => self.texts[number].clone(),
            Text::Map(key) => {
                let key = self.eval(key);
                self.text_map.get(&key).cloned().unwrap_or_default()
            }
            Text::Choice(cond, a, b) => match self.holds(cond) {
                true => self.text(a),
                false => self.text(b),
            },
            Text::Concat(a, b) => self.text(a) + &self.text(b),
        }
    }

    fn line(&mut self, line: &str) {
        writeln!(self.printed, "{line}").expect("a string takes everything");
    }

    fn eval(&mut self, e: &Expr) -> i64 {
        match e {
            Expr::Literal(value) => *value,
            Expr::Var(var) => self.vars[&var.to_string()],
            Expr::Loop(number) => self.loops[number],
            Expr::Map(key) => {
                let key = self.eval(key);
                self.map.get(&key).copied().unwrap_or_default()
            }
            Expr::Counted(key) => {
                let key = self.eval(key);
                self.counted.get(&key).copied().unwrap_or_default()
            }
            Expr::Pair(key, of) => {
                let key = (self.eval(key), self.text(of));
                self.pairs.get(&key).copied().unwrap_or_default()
            }
            Expr::Part(number, second) => self.parts[number][usize::from(*second)],
            Expr::Total(kind, key) => {
                let key = self.eval(key);
                let observed = self.observed.get(kind).and_then(|map| map.get(&key));
                observed.map_or(0, |observed| observed.number(*kind))
            }
            Expr::Length(of) => self.text(of).len() as i64,
            Expr::Place(of, what) => {
                let (of, what) = (self.text(of), self.text(what));
                of.find(&what).map_or(-1, |place| place as i64)
            }
            Expr::Call(a, b) => {
                let params = [self.eval(a), self.eval(b)];
                let outer = std::mem::replace(&mut self.params, params);
                let value = self.mixed.map_or(0, |body| self.eval(body));
                self.params = outer;
                value
            }
            Expr::Param(number) => self.params[*number],
            Expr::Cast(to, of) => fit(self.eval(of), *to),
            Expr::Neg(of) => self.eval(of).wrapping_neg(),
            Expr::Not(of) => !self.eval(of),
            Expr::Binary(op, a, b) => calculate(*op, is_signed(*op, a, b), self.eval(a), self.eval(b)),
            Expr::Choice(cond, a, b) => match self.holds(cond) {
                true => self.eval(a),
                false => self.eval(b),
            },
        }
    }

    fn holds(&mut self, cond: &Cond) -> bool {
        match cond {
            Cond::Compare(comparison, a, b) => self.compares(*comparison, a, b),
            Cond::HasKey(key) => {
                let key = self.eval(key);
                self.map.contains_key(&key)
            }
            Cond::Same(a, b) => self.text(a) == self.text(b),
            Cond::Contains(of, what) => {
                let (of, what) = (self.text(of), self.text(what));
                of.contains(&what)
            }
            Cond::Begins(a, b, bytes) => {
                let (a, b) = (self.text(a), self.text(b));
                let cut =
                    |text: &str| text.bytes().chain(std::iter::repeat(0)).take(*bytes as usize).collect::<Vec<_>>();
                cut(&a) == cut(&b)
            }
            Cond::Not(of) => !self.holds(of),
            Cond::Both(a, b) => self.holds(a) && self.holds(b),
            Cond::Either(a, b) => self.holds(a) || self.holds(b),
        }
    }

    /// Numbers are compared as unsigned ones only if both are.
    fn compares(&mut self, comparison: Comparison, a: &Expr, b: &Expr) -> bool {
        let unsigned = match b {
            Expr::Literal(_) => !ty(a).signed,
            _ => !ty(a).signed && !ty(b).signed,
        };
        let (a, b) = (self.eval(a), self.eval(b));
        let order = if unsigned { (a as u64).cmp(&(b as u64)) } else { a.cmp(&b) };
        match comparison {
            Comparison::Eq => order.is_eq(),
            Comparison::Ne => order.is_ne(),
            Comparison::Lt => order.is_lt(),
            Comparison::Le => order.is_le(),
            Comparison::Gt => order.is_gt(),
            Comparison::Ge => order.is_ge(),
        }
    }
}
