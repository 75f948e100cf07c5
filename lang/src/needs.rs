//! What must be known of a node before a script can be compiled for it: found in the script's text alone.

use crate::ast::{AttachPoint, Expr, ExprKind, Script};
use crate::provider;
use crate::uses::Uses;
use crate::walk::{self, Node};
use crate::{builtin, glob};

/// What to gather into a [`crate::target::Target`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Tracepoints to list.
    pub tracepoints: Vec<TracepointPattern>,
    /// Kernel functions to list.
    pub functions: Vec<FunctionPattern>,
    /// Whether the kernel's types are wanted. A script works without them unless it names one.
    pub btf: bool,
    /// Kernel symbols whose addresses are wanted.
    pub kernel_symbols: Vec<String>,
}

/// Tracepoints a script names, perhaps with wildcards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TracepointPattern {
    /// `sched`, `sys*`.
    pub category: String,
    /// `sched_switch`, `sched_*`.
    pub event: String,
    /// Whether the script reads their fields, so that their formats are wanted.
    pub fields: bool,
}

impl TracepointPattern {
    /// Whether it stands for this tracepoint.
    pub fn matches(&self, category: &str, event: &str) -> bool {
        glob::matches(&self.category, category) && glob::matches(&self.event, event)
    }

    /// Whether it may stand for more than one.
    pub fn is_wild(&self) -> bool {
        glob::is_pattern(&self.category) || glob::is_pattern(&self.event)
    }
}

/// Kernel functions a script names, perhaps with wildcards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionPattern {
    /// The module, where the script names one; `vmlinux` is the kernel itself.
    pub module: Option<String>,
    /// `vfs_read`, `vfs_*`.
    pub name: String,
}

impl FunctionPattern {
    /// Whether it stands for this function; `module` is `None` for the kernel itself.
    pub fn matches(&self, module: Option<&str>, name: &str) -> bool {
        let in_module = self.module.as_deref().is_none_or(|wanted| glob::matches(wanted, module.unwrap_or("vmlinux")));
        in_module && glob::matches(&self.name, name)
    }

    /// Whether it may stand for more than one.
    pub fn is_wild(&self) -> bool {
        glob::is_pattern(&self.name)
    }
}

/// What must be known of a node to compile `script` for it.
pub fn needs(script: &Script) -> Needs {
    let mut needs = Needs::default();
    for probe in &script.probes {
        let uses = Uses::of(script, probe);
        needs.btf |= uses.types;
        for point in &probe.attach_points {
            of_attach_point(point, uses, &mut needs);
        }
        walk::probe(probe, &mut |node| of_node(&node, script, &mut needs));
    }
    for m in &script.macros {
        walk::block(&m.body, &mut |node| of_node(&node, script, &mut needs));
    }
    needs
}

fn of_attach_point(point: &AttachPoint, uses: Uses, needs: &mut Needs) {
    if let Some(provider) = provider::find(&point.provider.node) {
        (provider.needs)(point, uses, needs);
    }
}

fn of_node(node: &Node<'_>, script: &Script, needs: &mut Needs) {
    let Node::Expr(e) = node else { return };
    match &e.node {
        // A name that is nothing else may be a constant of one of the kernel's enums.
        ExprKind::Ident(name) => {
            let known = builtin::find(name).is_some() || script.macros.iter().any(|m| m.name.node == *name);
            needs.btf |= !known;
        }
        ExprKind::Call { name, args } if name.node == "kaddr" => {
            if let Some(Expr { node: ExprKind::Str(symbol), .. }) = args.first() {
                needs.kernel_symbols.push(symbol.clone());
            }
        }
        _ => {}
    }
}
