//! Random programs as trees, with what the language says they do.
//!
//! A tree knows how it is written ([`std::fmt::Display`]) and how it runs ([`super::model`]). Only what the language defines
//! is generated: divisors are odd, shifts stay within 64 bits, loops end.

use std::fmt;

/// An integer type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Int {
    pub signed: bool,
    pub bits: u32,
}

pub const I64: Int = Int { signed: true, bits: 64 };
pub const U64: Int = Int { signed: false, bits: 64 };

impl fmt::Display for Int {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}int{}", if self.signed { "" } else { "u" }, self.bits)
    }
}

/// A value.
#[derive(Clone, Debug)]
pub enum Expr {
    /// At least 0.
    Literal(i64),
    /// `$iN`, an `int64`, or `$uN`, a `uint64`.
    Var(Var),
    /// The variable of the loop at this depth, an `int64`.
    Loop(usize),
    /// `@name[key]` of plain `int64` values.
    Map(Box<Expr>),
    /// `@counted[key]` as a number.
    Counted(Box<Expr>),
    Cast(Int, Box<Expr>),
    Neg(Box<Expr>),
    Not(Box<Expr>),
    Binary(Op, Box<Expr>, Box<Expr>),
    /// Both sides are `int64`.
    Choice(Box<Cond>, Box<Expr>, Box<Expr>),
}

/// A scratch variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Var {
    pub ty: Int,
    pub number: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    And,
    Or,
    Xor,
    Shl,
    Shr,
}

/// What is true or false.
#[derive(Clone, Debug)]
pub enum Cond {
    Compare(Comparison, Expr, Expr),
    HasKey(Expr),
    Not(Box<Cond>),
    Both(Box<Cond>, Box<Cond>),
    Either(Box<Cond>, Box<Cond>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

#[derive(Clone, Debug)]
pub enum Stmt {
    Assign(Var, Expr),
    /// `$i += e` of an `int64`.
    AddTo(Var, Expr),
    /// `$i++` or `$i--`
    Step(Var, bool),
    SetMap(Expr, Expr),
    Delete(Expr),
    Count(Expr),
    If(Cond, Vec<Stmt>, Vec<Stmt>),
    /// `for ($l : 0..n)`
    For(usize, i64, Vec<Stmt>),
    /// `while` that counts its own variable up to `n`.
    While(usize, i64, Vec<Stmt>),
    Unroll(i64, Vec<Stmt>),
    Print(Expr),
    /// As `%lld %llu %llx`.
    Printf(Expr, Expr, Expr),
    PrintTuple(Expr, Expr),
}

impl fmt::Display for Var {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${}{}", if self.ty.signed { 'i' } else { 'u' }, self.number)
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Op::Add => "+",
            Op::Sub => "-",
            Op::Mul => "*",
            Op::Div => "/",
            Op::Mod => "%",
            Op::And => "&",
            Op::Or => "|",
            Op::Xor => "^",
            Op::Shl => "<<",
            Op::Shr => ">>",
        })
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Comparison::Eq => "==",
            Comparison::Ne => "!=",
            Comparison::Lt => "<",
            Comparison::Le => "<=",
            Comparison::Gt => ">",
            Comparison::Ge => ">=",
        })
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expr::Literal(value) => write!(f, "{value}"),
            Expr::Var(var) => var.fmt(f),
            Expr::Loop(depth) => write!(f, "$l{depth}"),
            Expr::Map(key) => write!(f, "@m[{key}]"),
            Expr::Counted(key) => write!(f, "(int64)@counted[{key}]"),
            Expr::Cast(ty, of) => write!(f, "({ty})({of})"),
            Expr::Neg(of) => write!(f, "(-({of}))"),
            Expr::Not(of) => write!(f, "(~({of}))"),
            Expr::Binary(op, a, b) => write!(f, "({a} {op} {b})"),
            Expr::Choice(cond, a, b) => write!(f, "({cond} ? {a} : {b})"),
        }
    }
}

impl fmt::Display for Cond {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cond::Compare(comparison, a, b) => write!(f, "({a} {comparison} {b})"),
            Cond::HasKey(key) => write!(f, "has_key(@m, {key})"),
            Cond::Not(of) => write!(f, "!({of})"),
            Cond::Both(a, b) => write!(f, "({a} && {b})"),
            Cond::Either(a, b) => write!(f, "({a} || {b})"),
        }
    }
}

struct Body<'a>(&'a [Stmt]);

impl fmt::Display for Body<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|stmt| write!(f, "{stmt} "))
    }
}

impl fmt::Display for Stmt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stmt::Assign(var, value) => write!(f, "{var} = ({})({value});", var.ty),
            Stmt::AddTo(var, value) => write!(f, "{var} += {value};"),
            Stmt::Step(var, up) => write!(f, "{var}{};", if *up { "++" } else { "--" }),
            Stmt::SetMap(key, value) => write!(f, "@m[{key}] = (int64)({value});"),
            Stmt::Delete(key) => write!(f, "if (has_key(@m, {key})) {{ delete(@m, {key}); }}"),
            Stmt::Count(key) => write!(f, "@counted[{key}] = count();"),
            Stmt::If(cond, then, otherwise) => {
                write!(f, "if ({cond}) {{ {}}} else {{ {}}}", Body(then), Body(otherwise))
            }
            Stmt::For(depth, end, body) => write!(f, "for ($l{depth} : 0..{end}) {{ {}}}", Body(body)),
            Stmt::While(depth, end, body) => {
                write!(f, "$l{depth} = (int64)0; while ($l{depth} < {end}) {{ {}$l{depth}++; }}", Body(body))
            }
            Stmt::Unroll(times, body) => write!(f, "unroll ({times}) {{ {}}}", Body(body)),
            Stmt::Print(value) => write!(f, "print({value});"),
            Stmt::Printf(a, b, c) => write!(f, "printf(\"%lld %llu %llx\\n\", {a}, {b}, {c});"),
            Stmt::PrintTuple(a, b) => write!(f, "print(({a}, {b}));"),
        }
    }
}

/// A whole script.
pub struct Program(pub Vec<Stmt>);

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "config = {{ print_maps_on_exit = false }} begin {{ {}}}", Body(&self.0))
    }
}
