//! What must be known of a node before a script can be compiled for it: found in the script's text alone.

use crate::ast::{AttachPoint, Expr, ExprKind, Script};
use crate::options::Options;
use crate::orc;
use crate::provider;
use crate::uses::Uses;
use crate::walk::{self, Node};
use crate::{builtin, function, glob};

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
    /// Paths of cgroups whose ids are wanted.
    pub cgroups: Vec<String>,
    /// Whether the kernel's stack is walked where its tables for that may help: their symbols and their type are wanted.
    pub unwinding: bool,
    /// Places in programs and libraries.
    pub user: Vec<UserPattern>,
    /// Whether the names of the modules that are loaded are wanted.
    pub modules: bool,
    /// The process the script is limited to: files are looked for as it sees them.
    pub pid: Option<u32>,
}

/// Places in programs and libraries that a script names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserPattern {
    /// A path, a library's or program's short name, perhaps with wildcards; empty or `*` for whatever the process has mapped.
    pub file: String,
    /// What in it.
    pub what: UserWhat,
}

/// What a script names in a program or library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserWhat {
    /// Functions, perhaps with wildcards; by the names of the source where `demangled`.
    Functions {
        /// The pattern.
        name: String,
        /// Whether it is about the names of the source.
        demangled: bool,
    },
    /// An address of the program, before it is moved anywhere.
    Address(u64),
    /// Static markers, perhaps with wildcards.
    Markers {
        /// The provider's pattern.
        provider: String,
        /// The marker's pattern.
        name: String,
    },
}

impl UserPattern {
    /// Whether the file may stand for several.
    pub fn is_wild_file(&self) -> bool {
        self.file.is_empty() || glob::is_pattern(&self.file)
    }
}

impl UserWhat {
    /// Whether a function is meant, by its symbol or by its source's name.
    pub fn is_function(&self, symbol: &str, demangled: Option<&str>) -> bool {
        let Self::Functions { name, demangled: by_source } = self else { return false };
        if !*by_source {
            return glob::matches(name, symbol);
        }
        demangled.is_some_and(|source| {
            // Without parameters every overload is meant.
            let plain = if name.contains('(') { source } else { source.split('(').next().unwrap_or(source) };
            glob::matches(name, plain)
        })
    }

    /// Whether a marker is meant.
    pub fn is_marker(&self, provider: &str, name: &str) -> bool {
        matches!(self, Self::Markers { provider: wanted, name: called }
            if glob::matches(wanted, provider) && glob::matches(called, name))
    }
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

/// What must be known of a node to compile `script` for it, where the user says nothing beside it.
pub fn needs(script: &Script) -> Needs {
    needs_with(script, &Options::default())
}

/// What must be known of a node to compile `script` for it with these options.
pub fn needs_with(script: &Script, options: &Options) -> Needs {
    let mut needs = Needs { pid: options.pid, ..Needs::default() };
    for probe in &script.probes {
        let uses = Uses::of(script, probe);
        needs.btf |= uses.types;
        for point in &probe.attach_points {
            let mut point = options.written_out(point);
            for part in &mut point.parts {
                part.node = options.substituted(&part.node);
            }
            of_attach_point(&point, uses, &mut needs);
        }
        walk::probe(probe, &mut |node| of_node(&node, script, options, &mut needs));
    }
    if needs.unwinding {
        needs.btf = true;
        needs.kernel_symbols.extend(orc::SYMBOLS.map(str::to_owned));
    }
    needs.btf |= crate::definition::holds_undefined(&script.preamble);
    for m in &script.macros {
        walk::block(&m.body, &mut |node| of_node(&node, script, options, &mut needs));
    }
    needs
}

fn of_attach_point(point: &AttachPoint, uses: Uses, needs: &mut Needs) {
    if let Some(provider) = provider::find(&point.provider.node) {
        (provider.needs)(point, uses, needs);
    }
}

/// A constant string, or `str($1)` and its kin.
fn text(e: &Expr, options: &Options) -> Option<String> {
    match &e.node {
        ExprKind::Str(text) => Some(text.clone()),
        ExprKind::Positional(number) => options.args.get((*number as usize).checked_sub(1)?).cloned(),
        ExprKind::Call { name, args } if name.node == "str" => text(args.first()?, options),
        _ => None,
    }
}

fn of_node(node: &Node<'_>, script: &Script, options: &Options, needs: &mut Needs) {
    let Node::Expr(e) = node else { return };
    match &e.node {
        // A name that is nothing else may be a constant of one of the kernel's enums.
        ExprKind::Ident(name) => {
            let known = builtin::find(name).is_some() || script.macros.iter().any(|m| m.name.node == *name);
            needs.btf |= !known;
        }
        ExprKind::Call { name, args } if matches!(name.node.as_str(), "kaddr" | "percpu_kaddr") => {
            if name.node == "percpu_kaddr" {
                needs.kernel_symbols.push(function::CPU_OFFSETS.to_owned());
            }
            needs.kernel_symbols.extend(args.first().and_then(|arg| text(arg, options)));
        }
        ExprKind::Call { name, args } if name.node == "cgroupid" => {
            needs.cgroups.extend(args.first().and_then(|arg| text(arg, options)));
        }
        ExprKind::Call { name, .. } if matches!(name.node.as_str(), "kfunc_exist" | "kfunc_allowed") => {
            needs.btf = true
        }
        _ => {}
    }
}
