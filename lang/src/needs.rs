//! What must be known of a node before a script can be compiled for it: found in the script's text alone.

use std::collections::BTreeSet;

use crate::ast::{AttachPoint, Expr, ExprKind, Probe, Script, TypeBase, TypeOrExpr};
use crate::options::Options;
use crate::orc;
use crate::provider;
use crate::uses::{Uses, is_comm_of_process};
use crate::walk::{self, Node};
use crate::{builtin, ctype, function, glob};

/// What to gather into a [`crate::target::Target`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Tracepoints to list.
    pub tracepoints: Vec<TracepointPattern>,
    /// Kernel functions to list.
    pub functions: Vec<FunctionPattern>,
    /// The file that lists the functions that can be traced, where not the kernel is asked.
    pub traceable_functions: Option<String>,
    /// Functions of programs that are loaded into the kernel.
    pub program_functions: Vec<ProgramPattern>,
    /// Whether the kernel's types are wanted. A script works without them unless it names one.
    pub btf: bool,
    /// Kernel symbols whose addresses are wanted.
    pub kernel_symbols: Vec<String>,
    /// Functions of the kernel that programs may want to call.
    pub callable: BTreeSet<String>,
    /// Paths of cgroups whose ids are wanted.
    pub cgroups: Vec<String>,
    /// Whether the kernel's stack is walked where its tables for that may help: their symbols and their type are wanted.
    pub unwinding: bool,
    /// Places in programs and libraries.
    pub user: Vec<UserPattern>,
    /// Whether any probe sees at which instruction of a function it is, so that none may stand behind the first.
    pub instructions: bool,
    /// Names of types, with and without their keywords: they may be a program's.
    pub type_names: BTreeSet<String>,
    /// Names of members: what those of a program's structs point to is wanted.
    pub member_names: BTreeSet<String>,
    /// Whether the names of the modules that are loaded are wanted.
    pub modules: bool,
    /// The process the script is limited to: files are looked for as it sees them.
    pub pid: Option<u32>,
    /// More folders to look for debug files in.
    pub debug_folders: Vec<String>,
}

/// Places in programs and libraries that a script names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserPattern {
    /// A path, a library's or program's short name, perhaps with wildcards; empty or `*` for whatever the process has mapped.
    pub file: String,
    /// What in it.
    pub what: UserWhat,
    /// Whether the parameters of the functions are wanted.
    pub parameters: bool,
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
        /// Bytes from their start.
        offset: u64,
    },
    /// An address of the program, before it is moved anywhere.
    Address(u64),
    /// A line of its source.
    Line(SourceLine),
    /// A symbol of any kind, whose address is wanted.
    Symbol(String),
    /// Static markers, perhaps with wildcards.
    Markers {
        /// The provider's pattern.
        provider: String,
        /// The marker's pattern.
        name: String,
    },
}

/// A line of a program's source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceLine {
    /// The file: the end of its path, in whole parts.
    pub file: String,
    /// Counted from 1.
    pub line: u64,
    /// Counted from 1; 0 for the whole line.
    pub column: u64,
}

impl std::fmt::Display for SourceLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file, self.line)?;
        if self.column == 0 { Ok(()) } else { write!(f, ":{}", self.column) }
    }
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
        let Self::Functions { name, demangled: by_source, .. } = self else { return false };
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

/// Functions of programs that are loaded into the kernel, perhaps with wildcards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramPattern {
    /// The program's id, where the script names one.
    pub program: Option<u32>,
    /// The function's name.
    pub name: String,
}

impl ProgramPattern {
    /// Whether it stands for this function of the program of this id.
    pub fn matches(&self, program: u32, name: &str) -> bool {
        self.program.is_none_or(|wanted| wanted == program) && glob::matches(&self.name, name)
    }
}

/// What must be known of a node to compile `script` for it, where the user says nothing beside it.
pub fn needs(script: &Script) -> Needs {
    needs_with(script, &Options::default())
}

/// What must be known of a node to compile `script` for it with these options.
pub fn needs_with(script: &Script, options: &Options) -> Needs {
    let traceable_functions = options.traceable_functions.clone();
    let debug_folders = options.debug_folders.clone();
    let mut needs = Needs { pid: options.pid, debug_folders, traceable_functions, ..Needs::default() };
    for probe in &script.probes {
        let uses = Uses::of(script, probe);
        needs.btf |= uses.types;
        needs.instructions |= uses.instruction;
        let before = needs.user.len();
        for point in &probe.attach_points {
            let mut point = options.written_out(point);
            for part in &mut point.parts {
                part.node = options.substituted(&part.node);
            }
            of_attach_point(&point, uses, &mut needs);
        }
        if uses.place {
            user_symbols(script, probe, options, &mut needs, before);
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

/// Notes the symbols whose addresses a probe asks for (`uaddr`), in the files it attaches to: those from `before` on.
fn user_symbols(script: &Script, probe: &Probe, options: &Options, needs: &mut Needs, before: usize) {
    let mut names = vec![];
    let mut note = |node: Node<'_>| {
        if let Node::Expr(Expr { node: ExprKind::Call { name, args }, .. }) = node
            && name.node == "uaddr"
        {
            names.extend(args.first().and_then(|arg| text(arg, options)));
        }
    };
    walk::probe(probe, &mut note);
    for m in &script.macros {
        walk::block(&m.body, &mut note);
    }
    let files: BTreeSet<String> = needs.user.iter().skip(before).map(|pattern| pattern.file.clone()).collect();
    for file in files {
        let symbol =
            |name: &String| UserPattern { file: file.clone(), what: UserWhat::Symbol(name.clone()), parameters: false };
        needs.user.extend(names.iter().map(symbol));
    }
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

/// The name of a type that is not the language's own.
fn type_name(base: &TypeBase) -> Option<String> {
    match base {
        TypeBase::Name(name) if ctype::integer(name).is_none() => Some(name.clone()),
        TypeBase::Struct(name) | TypeBase::Union(name) | TypeBase::Enum(name) => Some(name.clone()),
        TypeBase::Name(_) | TypeBase::Typeof(_) | TypeBase::Tuple(_) => None,
    }
}

/// A bare name that may be a type's.
fn bare_name(of: &TypeOrExpr) -> Option<String> {
    let TypeOrExpr::Expr(e) = of else { return None };
    match &e.node {
        ExprKind::Ident(name) => Some(name.clone()),
        _ => None,
    }
}

fn of_node(node: &Node<'_>, script: &Script, options: &Options, needs: &mut Needs) {
    let e = match node {
        Node::Expr(e) => e,
        Node::Type(ty) => return needs.type_names.extend(type_name(&ty.base)),
        Node::Stmt(_) => return,
    };
    match &e.node {
        ExprKind::Field { field, .. } => {
            needs.member_names.insert(field.node.clone());
        }
        ExprKind::Sizeof(of) => needs.type_names.extend(bare_name(of)),
        ExprKind::Offsetof { base, path } => {
            needs.type_names.extend(bare_name(base));
            needs.member_names.extend(path.iter().map(|name| name.node.clone()));
        }
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
        ExprKind::Call { name, args } if matches!(name.node.as_str(), "kfunc_exist" | "kfunc_allowed") => {
            needs.btf = true;
            if name.node == "kfunc_allowed" {
                needs.callable.extend(args.first().and_then(|arg| text(arg, options)));
            }
        }
        ExprKind::Call { name, args } if is_comm_of_process(&name.node, args.len()) => {
            needs.btf = true;
            needs.callable.extend(function::TASK_FUNCTIONS.map(str::to_owned));
        }
        _ => {}
    }
}
