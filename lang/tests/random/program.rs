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
    /// `@pair[key, text]`, an `int64`.
    Pair(Box<Expr>, Box<Text>),
    /// An `int64` part of a tuple that a variable holds, or the one behind it, a `uint16`.
    Part(usize, bool),
    /// What a map of an aggregation has come to, as a number.
    Total(Kind, Box<Expr>),
    /// The bytes of a text.
    Length(Box<Text>),
    /// Where one text stands in another.
    Place(Box<Text>, Box<Text>),
    /// The program's macro, with two `int64` values.
    Call(Box<Expr>, Box<Expr>),
    /// A parameter of the macro, in its body.
    Param(usize),
}

/// A string.
#[derive(Clone, Debug)]
pub enum Text {
    Literal(&'static str),
    /// `$tN`
    Var(usize),
    /// `@text[key]`
    Map(Box<Expr>),
    Choice(Box<Cond>, Box<Text>, Box<Text>),
    /// Longer than variables are: only to be read at once.
    Concat(Box<Text>, Box<Text>),
}

/// What a map adds up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Sum,
    Min,
    Max,
    Avg,
    Stats,
    Hist,
    /// From 0 to 1000 in steps of 100.
    Lhist,
}

impl Kind {
    pub const ALL: [Self; 7] = [Self::Sum, Self::Min, Self::Max, Self::Avg, Self::Stats, Self::Hist, Self::Lhist];
    /// Those that can be read as a number.
    pub const NUMBERS: [Self; 4] = [Self::Sum, Self::Min, Self::Max, Self::Avg];

    pub fn name(self) -> &'static str {
        match self {
            Self::Sum => "sum",
            Self::Min => "min",
            Self::Max => "max",
            Self::Avg => "avg",
            Self::Stats => "stats",
            Self::Hist => "hist",
            Self::Lhist => "lhist",
        }
    }
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
    Same(Text, Text),
    Contains(Text, Text),
    /// Whether so many bytes are the same.
    Begins(Text, Text, u32),
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
    SetText(usize, Text),
    SetTextMap(Expr, Text),
    SetPair(Expr, Text, Expr),
    /// A tuple of an `int64` and a `uint16`.
    SetParts(usize, Expr, Expr),
    Aggregate(Kind, Expr, Expr),
    /// `@by[text] = count();`
    CountText(Text),
    /// The program's other macro: adds to an `int64`.
    Raise(Var, Expr),
    PrintText(Text),
    /// As `%s|%12s|%-12s`.
    PrintfText(Text, Text, Text),
    /// `(e, (text, e))`
    PrintNested(Expr, Text, Expr),
    /// The whole map.
    PrintAll(&'static str),
}

impl fmt::Display for Var {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${}{}_{}", if self.ty.signed { 'i' } else { 'u' }, self.ty.bits, self.number)
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
            Expr::Pair(key, text) => write!(f, "@pair[{key}, {text}]"),
            Expr::Part(number, second) => write!(f, "$p{number}.{}", u8::from(*second)),
            Expr::Total(kind, key) => write!(f, "(int64)@{}[{key}]", kind.name()),
            Expr::Length(text) => write!(f, "(int64)strlen({text})"),
            Expr::Place(text, of) => write!(f, "(int64)strstr({text}, {of})"),
            Expr::Call(a, b) => write!(f, "mixed({a}, {b})"),
            Expr::Param(number) => f.write_str(["x", "y"][*number]),
        }
    }
}

impl fmt::Display for Cond {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cond::Compare(comparison, a, b) => write!(f, "({a} {comparison} {b})"),
            Cond::HasKey(key) => write!(f, "has_key(@m, {key})"),
            Cond::Same(a, b) => write!(f, "({a} == {b})"),
            Cond::Contains(text, of) => write!(f, "strcontains({text}, {of})"),
            Cond::Begins(a, b, bytes) => write!(f, "(strncmp({a}, {b}, {bytes}) == 0)"),
            Cond::Not(of) => write!(f, "!({of})"),
            Cond::Both(a, b) => write!(f, "({a} && {b})"),
            Cond::Either(a, b) => write!(f, "({a} || {b})"),
        }
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Text::Literal(text) => write!(f, "\"{text}\""),
            Text::Var(number) => write!(f, "$t{number}"),
            Text::Map(key) => write!(f, "@text[{key}]"),
            Text::Choice(cond, a, b) => write!(f, "({cond} ? {a} : {b})"),
            Text::Concat(a, b) => write!(f, "str_concat({a}, {b})"),
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
            Stmt::For(depth, end, body) => write!(f, "for ($l{depth} : (int64)0..(int64){end}) {{ {}}}", Body(body)),
            Stmt::While(depth, end, body) => {
                write!(f, "$l{depth} = (int64)0; while ($l{depth} < {end}) {{ {}$l{depth}++; }}", Body(body))
            }
            Stmt::Unroll(times, body) => write!(f, "unroll ({times}) {{ {}}}", Body(body)),
            Stmt::Print(value) => write!(f, "print({value});"),
            Stmt::Printf(a, b, c) => write!(f, "printf(\"%lld %llu %llx\\n\", {a}, {b}, {c});"),
            Stmt::PrintTuple(a, b) => write!(f, "print(({a}, {b}));"),
            Stmt::SetText(number, text) => write!(f, "$t{number} = {text};"),
            Stmt::SetTextMap(key, text) => write!(f, "@text[{key}] = {text};"),
            Stmt::SetPair(key, text, value) => write!(f, "@pair[{key}, {text}] = (int64)({value});"),
            Stmt::SetParts(number, a, b) => write!(f, "$p{number} = ((int64)({a}), (uint16)({b}));"),
            Stmt::Aggregate(Kind::Lhist, key, value) => {
                write!(f, "@lhist[{key}] = lhist((int64)({value}), 0, 1000, 100);")
            }
            Stmt::Aggregate(kind, key, value) => write!(f, "@{0}[{key}] = {0}((int64)({value}));", kind.name()),
            Stmt::CountText(text) => write!(f, "@by[{text}] = count();"),
            Stmt::Raise(var, value) => write!(f, "raise({var}, {value});"),
            Stmt::PrintText(text) => write!(f, "print({text});"),
            Stmt::PrintfText(a, b, c) => write!(f, "printf(\"%s|%12s|%-12s\\n\", {a}, {b}, {c});"),
            Stmt::PrintNested(a, text, b) => write!(f, "print(({a}, ({text}, {b})));"),
            Stmt::PrintAll(map) => write!(f, "print(@{map});"),
        }
    }
}

/// A whole script.
pub struct Program {
    /// What the macro of two values comes to.
    pub mixed: Expr,
    pub body: Vec<Stmt>,
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "config = {{ print_maps_on_exit = false; max_strlen = 32 }} ")?;
        write!(f, "macro mixed(x, y) {{ {} }} macro raise($v, x) {{ $v += x; }} ", self.mixed)?;
        write!(f, "begin {{ {}}}", Body(&self.body))
    }
}
