//! The script with every name resolved and every expression typed: what `check` makes and `lower` reads.
//!
//! There is one [`Probe`] for each BPF program to come: probes are already expanded to attach points, and those that need
//! different code (their name is read, their arguments differ) are separate.

mod display;

use std::fmt;
use std::rc::Rc;

use report::raw;
use report::schema::ValueKind;

use crate::ast::BinaryOp;
use crate::expand::Site;
use crate::ir::{Operand, VReg};
use crate::lower::{Fill, Lowerer, Place};
use crate::span::Span;
use crate::types::{Space, Ty};

/// A checked script.
#[derive(Debug)]
pub struct Program {
    /// The maps, in name order. Indexed by [`Map`].
    pub maps: Vec<MapInfo>,
    /// One for each BPF program.
    pub probes: Vec<Probe>,
    /// The maps of stacks, indexed by `StackMapId`.
    pub stack_maps: Vec<StackMap>,
    /// Whether it ends itself somewhere.
    pub exits: bool,
}

/// What a map of stacks holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StackMap {
    /// The most frames of a stack.
    pub depth: u16,
    /// Whether frames are build ids and offsets instead of addresses.
    pub build_ids: bool,
}

/// Index of a map in [`Program::maps`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Map(pub u16);

/// One `@name`.
#[derive(Clone, Debug)]
pub struct MapInfo {
    /// With the sigil.
    pub name: String,
    /// `None` for a map without key.
    pub key: Option<Ty>,
    /// An aggregate or the type of plain values.
    pub value: Ty,
    /// The most elements.
    pub entries: u32,
    /// Whether a full map drops what was not used for longest.
    pub evicts: bool,
    /// Where it was first seen.
    pub span: Span,
}

/// One BPF program.
#[derive(Debug)]
pub struct Probe {
    /// Where it attaches: at least one place; all have the same context.
    pub sites: Vec<Site>,
    /// The types of the scratch variables. Indexed by [`Var`].
    pub vars: Vec<Ty>,
    /// Variables that are read behind the block that first assigns them: zero or empty from the start.
    pub early: Vec<Var>,
    /// Variables whose address is taken, so that they must be in memory.
    pub addressed: Vec<Var>,
    /// Whether it has loops whose turns are calls, so that its variables must be where all its functions find them.
    pub calls_back: bool,
    /// Whether it has any function that is called back, which takes a part of the stack.
    pub has_functions: bool,
    /// Nothing happens where it is false.
    pub predicate: Option<Expr>,
    /// What happens.
    pub body: Vec<Stmt>,
    /// The probe in the script.
    pub span: Span,
}

/// Index of a scratch variable in [`Probe::vars`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Var(pub u32);

/// A statement.
#[derive(Debug)]
pub struct Stmt {
    /// What it does.
    pub kind: StmtKind,
    /// Where it stands.
    pub span: Span,
}

/// The kinds of statement.
#[derive(Debug)]
pub enum StmtKind {
    /// An expression for its effect.
    Expr(Expr),
    /// `$x = value`
    SetVar { var: Var, value: Expr },
    /// `@x = value`, `@x[key] = value`
    SetMap { map: Map, key: Option<Expr>, value: Expr },
    /// `@x += value`, `@x -= value`, at once for all CPUs
    AddMap { map: Map, key: Option<Expr>, value: Expr, subtract: bool },
    /// `@x = count()`
    Aggregate { map: Map, key: Option<Expr>, aggregate: Rc<Aggregate> },
    /// `if (condition) { .. } else { .. }`
    If { condition: Expr, then: Vec<Stmt>, otherwise: Vec<Stmt> },
    /// `while (condition) { .. }`
    While { condition: Expr, body: Vec<Stmt>, turns: Turns },
    /// `unroll (count) { .. }`
    Unroll { count: u32, body: Vec<Stmt> },
    /// `for ($i : start..end) { .. }`, its variable already declared.
    ForRange { var: Var, start: Expr, end: Expr, body: Vec<Stmt>, turns: Turns },
    /// `for ($kv : @map) { .. }`, its variable, a tuple of key and value, already declared.
    ForMap { var: Var, map: Map, body: Vec<Stmt> },
    /// `break;`
    Break,
    /// `continue;`
    Continue,
    /// Leaves the program; what a test returns tells whether it failed.
    Return(Option<Expr>),
    /// Several in a row.
    Block(Vec<Stmt>),
}

/// How the turns of a loop are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turns {
    /// By jumping back: the verifier follows each turn.
    Jumped,
    /// By a helper that calls a function for each: the verifier follows one.
    Called,
}

/// An expression.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it computes.
    pub kind: ExprKind,
    /// The type of its value.
    pub ty: Ty,
    /// Where it stands.
    pub span: Span,
}

/// The kinds of expression.
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// What could not be checked; an error was reported or the target does not say enough.
    Poison,
    /// A constant of a scalar type.
    Int(i64),
    /// A constant string.
    Str(Rc<str>),
    /// A scratch variable.
    Var(Var),
    /// A map's value; 0 or empty where there is none.
    Map { map: Map, key: Option<Box<Expr>> },
    /// Arithmetic on 64 bits. Operands and result have the signedness of `signed`.
    Binary { op: BinaryOp, signed: bool, left: Box<Expr>, right: Box<Expr> },
    /// A comparison of scalars.
    Compare { op: BinaryOp, signed: bool, left: Box<Expr>, right: Box<Expr> },
    /// Equality, or with `equal` false difference, of values in memory.
    Same { equal: bool, left: Box<Expr>, right: Box<Expr> },
    /// `&&` and `||`.
    Logical { and: bool, left: Box<Expr>, right: Box<Expr> },
    /// `!x`
    Not(Box<Expr>),
    /// `-x`
    Neg(Box<Expr>),
    /// `~x`
    BitNot(Box<Expr>),
    /// `c ? a : b`; both have the type of the whole.
    Ternary { condition: Box<Expr>, then: Box<Expr>, otherwise: Box<Expr> },
    /// The operand as the type of this expression: integers and addresses are cut and extended.
    Cast(Box<Expr>),
    /// `(a, b)` and records; the components follow the expression's type.
    Tuple(Vec<Expr>),
    /// Component `index` of a tuple or record.
    Component { base: Box<Expr>, index: usize },
    /// `x++` and its kin on a variable or a map.
    Step { target: Box<StepTarget>, delta: i64, before: bool },
    /// What lies at an address: read when a scalar or string is wanted, only named when it is a struct or an array.
    Memory { address: Box<Expr>, offset: i64, space: Space, bits: Option<(u8, u8)> },
    /// What lies `offset` bytes into the program's context.
    Context { offset: i32 },
    /// The member that starts `offset` bytes into a struct that is in the program's memory; for a bit-field its bits.
    Part { base: Box<Expr>, offset: u32, bits: Option<(u8, u8)> },
    /// The address of a variable.
    AddressOf(Var),
    /// `base[index]` of an array that is in the program's memory.
    Element { base: Box<Expr>, index: Box<Expr> },
    /// Statements, then a value.
    Block { stmts: Vec<SharedStmt>, value: Box<Expr> },
    /// A function or builtin.
    Intrinsic(Intrinsic),
    /// `count()` and its kin; stands only right of a map assignment.
    Aggregate(Rc<Aggregate>),
}

/// A statement inside of an expression, shared because expressions are cloned.
pub type SharedStmt = Rc<Stmt>;

/// What `++` and `--` change.
#[derive(Clone, Debug)]
pub enum StepTarget {
    /// A scratch variable.
    Var(Var),
    /// A plain map.
    Map(Map, Option<Expr>),
}

/// A function or builtin: how its code is made.
#[derive(Clone)]
pub struct Intrinsic {
    /// What it is called.
    pub name: &'static str,
    /// Its code.
    pub lower: Lower,
}

/// Code for a value that a register holds.
pub type LowerScalar = dyn Fn(&mut Lowerer<'_>) -> Operand;
/// Code that writes a value to memory.
pub type LowerMemory = dyn Fn(&mut Lowerer<'_>, Place, Fill);
/// Code for an effect.
pub type LowerEffect = dyn Fn(&mut Lowerer<'_>);

/// How an intrinsic's code is made, by the kind of its value.
#[derive(Clone)]
#[allow(missing_docs, reason = "see the aliases")]
pub enum Lower {
    Scalar(Rc<LowerScalar>),
    Memory(Rc<LowerMemory>),
    Effect(Rc<LowerEffect>),
}

impl fmt::Debug for Intrinsic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// `count()` and its kin.
#[derive(Debug)]
pub struct Aggregate {
    /// What it is called.
    pub name: &'static str,
    /// The kind of map it makes; the map's own may differ in signedness.
    pub kind: ValueKind,
    /// What is aggregated; `None` for `count()`.
    pub value: Option<Expr>,
    /// Adds a value to the element at an address.
    pub add: AddToElement,
}

/// Adds a value to a map's element: its kind as the map has it, the element's address, the value.
pub type AddToElement = fn(&mut Lowerer<'_>, &ValueKind, VReg, Operand);

impl Expr {
    /// What could not be checked.
    pub fn poison(span: Span) -> Self {
        Self { kind: ExprKind::Poison, ty: Ty::Unknown, span }
    }

    /// A constant with the smallest type that holds it.
    pub fn int(value: i64, span: Span) -> Self {
        Self { kind: ExprKind::Int(value), ty: Ty::of_literal(value), span }
    }

    /// A constant string.
    pub fn str(text: &str, span: Span) -> Self {
        let size = u32::try_from(raw::bytes(text).len() + 1).unwrap_or(u32::MAX);
        Self { kind: ExprKind::Str(text.into()), ty: Ty::Str { size }, span }
    }

    /// A function or builtin whose value a register holds.
    pub fn scalar(
        name: &'static str,
        ty: Ty,
        span: Span,
        lower: impl Fn(&mut Lowerer<'_>) -> Operand + 'static,
    ) -> Self {
        Self { kind: ExprKind::Intrinsic(Intrinsic { name, lower: Lower::Scalar(Rc::new(lower)) }), ty, span }
    }

    /// A function or builtin that writes its value to memory.
    pub fn memory(
        name: &'static str,
        ty: Ty,
        span: Span,
        lower: impl Fn(&mut Lowerer<'_>, Place, Fill) + 'static,
    ) -> Self {
        Self { kind: ExprKind::Intrinsic(Intrinsic { name, lower: Lower::Memory(Rc::new(lower)) }), ty, span }
    }

    /// A function without a value.
    pub fn effect(name: &'static str, span: Span, lower: impl Fn(&mut Lowerer<'_>) + 'static) -> Self {
        let lower = Lower::Effect(Rc::new(lower));
        Self { kind: ExprKind::Intrinsic(Intrinsic { name, lower }), ty: Ty::Void, span }
    }

    /// Its value, where that is known now.
    pub fn constant(&self) -> Option<i64> {
        match &self.kind {
            ExprKind::Int(value) => Some(*value),
            ExprKind::Cast(of) if of.ty == self.ty => of.constant(),
            _ => None,
        }
    }

    /// Its text, where that is known now.
    pub fn literal(&self) -> Option<&str> {
        match &self.kind {
            ExprKind::Str(text) => Some(text),
            _ => None,
        }
    }
}
