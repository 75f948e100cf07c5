//! What a probe's text reads of its surroundings, found without types: it decides how the probe may attach and which attach
//! points may share one program.

use crate::ast::{Expr, ExprKind, Macro, Probe, Script, StmtKind, TypeBase, UnaryOp};
use crate::walk::{self, Node};

/// What a probe reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Uses {
    /// `args`: the fields of what it attaches to.
    pub args: bool,
    /// `probe`: the attach point's name.
    pub name: bool,
    /// `func`: the function's name, which a return does not tell by itself.
    pub function: bool,
    /// `uaddr`: what lies beside the place it attaches to.
    pub place: bool,
    /// The kernel's types.
    pub types: bool,
    /// The kernel's stack.
    pub kernel_stack: bool,
    /// Functions of the kernel, or what only they and helpers like them take: the verifier must know pointers by their types.
    pub typed_pointers: bool,
    /// The very instruction that it is at: the process's stack, a register.
    pub instruction: bool,
}

impl Uses {
    /// What `probe` reads, assuming that it calls every macro of the script. Scripts whose macros were expanded have none.
    pub fn of(script: &Script, probe: &Probe) -> Self {
        let mut uses = Self::default();
        walk::probe(probe, &mut |node| uses.note(&node));
        for Macro { body, .. } in &script.macros {
            walk::block(body, &mut |node| uses.note(&node));
        }
        uses
    }

    fn note(&mut self, node: &Node<'_>) {
        match node {
            Node::Expr(e) => match &e.node {
                ExprKind::Ident(name) => self.note_name(name),
                ExprKind::Call { name, args } => {
                    self.note_name(&name.node);
                    self.typed_pointers |= name.node == "skboutput" || is_comm_of_process(&name.node, args.len());
                }
                ExprKind::Offsetof { .. } => self.types = true,
                // A map as the kernel describes it.
                ExprKind::Unary { op: UnaryOp::AddressOf, operand } => {
                    self.types |= matches!(operand.node, ExprKind::Map(_));
                }
                // What a field points to.
                ExprKind::Field { base, .. } => self.types |= is_behind_args(base),
                _ => {}
            },
            Node::Type(ty) => {
                let named = match &ty.base {
                    TypeBase::Name(name) => crate::ctype::integer(name).is_none(),
                    TypeBase::Struct(_) | TypeBase::Union(_) | TypeBase::Enum(_) => true,
                    TypeBase::Typeof(_) | TypeBase::Tuple(_) => false,
                };
                self.types |= named;
            }
            Node::Stmt(s) => {
                if let StmtKind::Let { ty: Some(_), .. } = &s.node {
                    self.types = true;
                }
            }
        }
    }

    fn note_name(&mut self, name: &str) {
        match name {
            "args" => self.args = true,
            "probe" | "probetype" => self.name = true,
            "func" => self.function = true,
            "uaddr" => self.place = true,
            "kstack" => self.kernel_stack = true,
            "ustack" | "reg" => self.instruction = true,
            // The task tells what it runs.
            "dw_ustack" => (self.instruction, self.types) = (true, true),
            // Read through the task, whose members the kernel's types tell. `comm` is too where they are at hand, but they are not
            // worth reading for it: a helper knows it as well.
            "ctx" | "curtask" | "ppid" | "pcomm" | "leader_tid" | "leader_comm" => self.types = true,
            _ => {}
        }
    }
}

/// Whether a call asks for the name of a process by its id: `comm(pid)`.
pub(crate) fn is_comm_of_process(name: &str, args: usize) -> bool {
    name == "comm" && args > 0
}

/// Whether an expression is a field of `args`, or what one points to.
fn is_behind_args(e: &Expr) -> bool {
    match &e.node {
        ExprKind::Field { base, .. } => base.node == ExprKind::Ident("args".into()) || is_behind_args(base),
        ExprKind::Unary { op: UnaryOp::Deref, operand } => is_behind_args(operand),
        ExprKind::Index { base, .. } => is_behind_args(base),
        _ => false,
    }
}
