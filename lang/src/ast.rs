//! The script as it was written: what the parser makes and the formatter prints.
//!
//! Names are unresolved, nothing is typed, wildcards are not expanded. Every node has its span. Constructs the language has
//! are all representable here, also those a later pass may refuse.

use crate::span::{Span, Spanned};

/// A whole script.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Script {
    /// `config = { key = value; .. }`.
    pub config: Vec<ConfigItem>,
    /// `struct`, `union` and `enum` definitions, preprocessor lines and imports, in order.
    pub preamble: Vec<Preamble>,
    /// `let @name = kind(entries);`.
    pub map_decls: Vec<MapDecl>,
    /// `macro name(params) { .. }`.
    pub macros: Vec<Macro>,
    /// The probes, in order.
    pub probes: Vec<Probe>,
}

/// One `key = value` of the config block.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfigItem {
    /// The key, lower case or `BPFTRACE_` upper case.
    pub key: Spanned<String>,
    /// A literal or a bare word.
    pub value: Spanned<ConfigValue>,
}

/// The value of a config item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigValue {
    /// `key = 64`.
    Int(u64),
    /// `key = "text"`.
    Str(String),
    /// `key = word`, also `true` and `false`.
    Word(String),
}

/// What may stand before the probes, kept as text for the passes that understand it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Preamble {
    /// A preprocessor line (`#include`, `#define`, `#ifdef` ..), without its newline.
    Directive(Spanned<String>),
    /// A C definition, from its keyword to its semicolon.
    Definition(Spanned<String>),
    /// `import "name";`.
    Import(Spanned<String>),
}

/// `let @name = kind(entries);`.
#[derive(Clone, Debug, PartialEq)]
pub struct MapDecl {
    /// With the sigil.
    pub name: Spanned<String>,
    /// `hash`, `percpuhash`, `lruhash` ..
    pub kind: Spanned<String>,
    /// The most entries.
    pub entries: Option<Expr>,
}

/// `macro name(params) { body }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Macro {
    /// The macro's name.
    pub name: Spanned<String>,
    /// Parameters with their sigils: `$x`, `@m`, or bare expressions' names.
    pub params: Vec<Spanned<String>>,
    /// What it expands to.
    pub body: Block,
}

/// One probe: attach points, predicate, body.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    /// `a:b:c, d:e`, as written.
    pub attach_points: Vec<AttachPoint>,
    /// `/ .. /`.
    pub predicate: Option<Expr>,
    /// `{ .. }`.
    pub body: Block,
    /// From the first attach point to the closing brace.
    pub span: Span,
}

/// One attach point as written: `provider:part:part`, split at colons outside quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttachPoint {
    /// `name=` before the provider, if any.
    pub name: Option<Spanned<String>>,
    /// `BEGIN`, `tracepoint`, `t` .. as written.
    pub provider: Spanned<String>,
    /// What follows the provider, each part without its colon and unquoted.
    pub parts: Vec<Spanned<String>>,
    /// All of it.
    pub span: Span,
}

/// Statements in braces; a block expression also has a value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Block {
    /// In order.
    pub stmts: Vec<Stmt>,
    /// The trailing expression of a block expression, without a semicolon.
    pub value: Option<Box<Expr>>,
    /// With the braces.
    pub span: Span,
}

/// A statement.
pub type Stmt = Spanned<StmtKind>;

/// The kinds of statement.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "fields are described with their variant")]
pub enum StmtKind {
    /// An expression for its effect: a call, `@x++`.
    Expr(Expr),
    /// `target = value`, `target += value` .. (`op` is the binary operator of a compound assignment). The target is a variable,
    /// a map or a map access; the name `_` throws the value away.
    Assign { target: Expr, op: Option<BinaryOp>, value: Expr },
    /// `let $x: type = value`.
    Let { name: Spanned<String>, ty: Option<TypeName>, value: Option<Expr> },
    /// `if cond { .. } else ..`; `else if` nests in `otherwise`.
    If { condition: Expr, then: Block, otherwise: Option<Block> },
    /// `while (cond) { .. }`.
    While { condition: Expr, body: Block },
    /// `unroll (n) { .. }`.
    Unroll { count: Expr, body: Block },
    /// `for ($kv : @map) { .. }`.
    ForMap { variable: Spanned<String>, map: Spanned<String>, body: Block },
    /// `for ($i : a..b) { .. }`.
    ForRange { variable: Spanned<String>, start: Expr, end: Expr, body: Block },
    /// `break;`
    Break,
    /// `continue;`
    Continue,
    /// `return;` or `return value;`
    Return(Option<Expr>),
    /// `{ .. }` on its own.
    Block(Block),
}

/// An expression.
pub type Expr = Spanned<ExprKind>;

/// The kinds of expression.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "fields are described with their variant")]
pub enum ExprKind {
    /// An integer literal; `negative` literals are a unary minus applied to one.
    Int { value: u64, text: String },
    /// A string literal, unescaped.
    Str(String),
    /// `true` and `false`.
    Bool(bool),
    /// A bare name: builtin, enum constant or macro. What a `#define` names has been put in its place.
    Ident(String),
    /// `$name`, with the sigil.
    Variable(String),
    /// `@name` without a key, with the sigil.
    Map(String),
    /// `@name[key]`; several keys are a tuple.
    MapAccess { name: Spanned<String>, key: Vec<Expr> },
    /// `$1`.
    Positional(u32),
    /// `$#`.
    PositionalCount,
    /// `name(args)`.
    Call { name: Spanned<String>, args: Vec<Expr> },
    /// `-x`, `!x`, `~x`, `*x`, `&x`.
    Unary { op: UnaryOp, operand: Box<Expr> },
    /// `x++` and its kin.
    Step { op: StepOp, target: Box<Expr> },
    /// `a + b`.
    Binary { op: BinaryOp, left: Box<Expr>, right: Box<Expr> },
    /// `c ? a : b`; `c ?: b` has no middle.
    Ternary { condition: Box<Expr>, then: Option<Box<Expr>>, otherwise: Box<Expr> },
    /// `a.b`, `a->b`, `a.0`; the arrow is remembered for the formatter alone.
    Field { base: Box<Expr>, field: Spanned<String>, arrow: bool },
    /// `a[i]`.
    Index { base: Box<Expr>, index: Box<Expr> },
    /// `(type)x`.
    Cast { ty: TypeName, operand: Box<Expr> },
    /// `(a, b)`; one element is written `(a,)`.
    Tuple(Vec<Expr>),
    /// `(a = 1, b = 2)`.
    Record(Vec<(Spanned<String>, Expr)>),
    /// `sizeof(type)` and `sizeof(expr)`.
    Sizeof(TypeOrExpr),
    /// `offsetof(type or expr, field.path)`.
    Offsetof { base: TypeOrExpr, path: Vec<Spanned<String>> },
    /// `typeof(..)` where an expression is wanted: an argument of a macro that takes a type.
    Typeof(TypeOrExpr),
    /// `typeinfo(..)`.
    Typeinfo(TypeOrExpr),
    /// `{ stmts; value }` as an expression.
    Block(Block),
    /// `if c { a } else { b }` as an expression.
    If { condition: Box<Expr>, then: Block, otherwise: Option<Block> },
}

/// Where a type or an expression may stand.
#[derive(Clone, Debug, PartialEq)]
pub enum TypeOrExpr {
    /// `sizeof(struct foo)`.
    Type(TypeName),
    /// `sizeof($x)`.
    Expr(Box<Expr>),
}

/// A type as written.
#[derive(Clone, Debug, PartialEq)]
pub struct TypeName {
    /// The base name without `struct`, `union` or `enum`: `uint64`, `sk_buff`, `unsigned long`.
    pub base: TypeBase,
    /// `*`s after it.
    pub pointers: u8,
    /// `[n]`s after it; `None` is `[]`.
    pub arrays: Vec<Option<Expr>>,
    /// All of it.
    pub span: Span,
}

/// What a written type starts with.
#[derive(Clone, Debug, PartialEq)]
pub enum TypeBase {
    /// A plain name.
    Name(String),
    /// `struct name`.
    Struct(String),
    /// `union name`.
    Union(String),
    /// `enum name`.
    Enum(String),
    /// `typeof(expr)`.
    Typeof(Box<TypeOrExpr>),
    /// `(type, type)`.
    Tuple(Vec<TypeName>),
}

/// Unary operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOp {
    /// `-`
    Neg,
    /// `!`
    Not,
    /// `~`
    BitNot,
    /// `*`
    Deref,
    /// `&`
    AddressOf,
    /// `comptime`
    Comptime,
}

/// Increment and decrement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepOp {
    /// `++x`
    PreIncrement,
    /// `x++`
    PostIncrement,
    /// `--x`
    PreDecrement,
    /// `x--`
    PostDecrement,
}

/// Binary operators, by rising precedence in C's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BinaryOp {
    /// `||`
    Or,
    /// `&&`
    And,
    /// `|`
    BitOr,
    /// `^`
    BitXor,
    /// `&`
    BitAnd,
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `<<`
    Shl,
    /// `>>`
    Shr,
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `%`
    Mod,
}
