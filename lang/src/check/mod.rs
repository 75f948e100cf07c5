//! Names to meanings, expressions to types: [`crate::ast`] in, [`crate::hir`] out.
//!
//! Checking is total: every construct gives a node, errors are collected, and what is wrong becomes a poisoned node about which
//! nothing further is said. Maps and variables get their types from all their uses, so the script is checked in rounds until no type changes; the
//! findings of the last round count.
//!
//! Rules: every name is known; a map is either keyed or not and holds one kind of value; operands and arguments have types their
//! operator or function takes; constants are in range; what changes the system was allowed.

mod access;
mod address;
mod argument;
mod assign;
mod comptime;
mod constant;
mod expr;
mod iteration;
mod kept;
mod kernel;
mod maps;
mod names;
mod operator;
mod scope;
mod soft;
mod stmt;
mod total;
mod type_name;

pub use address::address_of;
pub use argument::Call;
pub use constant::parse_integer;
pub use iteration::MOST_CALLED;
pub use operator::{memory, pointer_to};

use std::rc::Rc;

use report::schema::StackMapId;

use crate::ast::{Probe, Script};
use crate::config::Config;
use crate::ctype::Types;
use crate::definition::Definitions;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::expand::{Context, Group};
use crate::hir;
use crate::options::Options;
use crate::span::Span;
use crate::target::Target;
use maps::Maps;
use scope::Scopes;

/// Rounds after which types that still change are given up; each round widens at least one type, and types widen few times.
const MOST_ROUNDS: usize = 24;

/// What checking reads and what it has found out so far.
pub struct Checker<'a> {
    /// The script.
    pub script: &'a Script,
    /// The node.
    pub target: &'a Target,
    /// What the user said.
    pub options: &'a Options,
    /// The script's settings.
    pub config: &'a Config,
    /// What the program at hand finds in its context.
    pub context: Context,
    /// What `probe` prints; of the first place where several share a program.
    pub probe_name: Rc<str>,
    /// The types of the program or library that the probe at hand is in, where they are known.
    pub program: Option<Types>,
    /// The text of the program at hand.
    probe: Option<&'a Probe>,
    /// How the program at hand attaches.
    pub attach: Option<crate::compiled::Attach>,
    /// Whether pointers of the context are to stay what the kernel's verifier knows them as.
    pub keeps_pointers: bool,
    maps: Maps,
    answers: kernel::Answers,
    definitions: Definitions,
    scopes: Scopes,
    stack_maps: Vec<hir::StackMap>,
    diagnostics: Diagnostics,
    /// Loops around the statement at hand that `break` and `continue` know.
    loops: u32,
    /// Those of them that are unrolled.
    unrolls: u32,
    /// Whether attach points were refused, so that probes of the script are missing here.
    incomplete: bool,
    /// How many turns the jumping loops around the statement at hand take together.
    turns: u32,
    /// Whether the program at hand has loops whose turns are calls.
    calls_back: bool,
    /// Whether it has functions that are called back, for loops or for something else.
    has_functions: bool,
    /// The blocks with values, and the calls of macros, around the expression at hand.
    blocks: Vec<Span>,
    /// Whether the script ends itself somewhere.
    exits: bool,
    /// How many branches that are known never to be taken are around the statement at hand.
    dead: u32,
    /// Whether the statement at hand is part of a value, so that it cannot leave the probe.
    in_value: bool,
}

/// Checks a script whose attach points have been expanded.
pub fn check<'a>(
    script: &'a Script,
    groups: &[Group<'a>],
    target: &'a Target,
    options: &'a Options,
    config: &'a Config,
    diagnostics: &mut Diagnostics,
) -> hir::Program {
    let mut checker = Checker {
        script,
        target,
        options,
        config,
        context: Context::Script,
        probe_name: "".into(),
        program: None,
        probe: None,
        attach: None,
        keeps_pointers: false,
        maps: Maps::of(groups),
        answers: kernel::Answers::default(),
        definitions: Definitions::default(),
        scopes: Scopes::default(),
        stack_maps: vec![],
        diagnostics: Diagnostics::default(),
        loops: 0,
        unrolls: 0,
        incomplete: diagnostics.has_errors(),
        turns: 1,
        calls_back: false,
        has_functions: false,
        exits: false,
        blocks: vec![],
        dead: 0,
        in_value: false,
    };
    let mut probes = vec![];
    for _ in 0..MOST_ROUNDS {
        checker.diagnostics = Diagnostics::default();
        checker.read_definitions();
        checker.declare_maps();
        probes = checker.probes(groups);
        let maps_changed = checker.maps.take_changed();
        if !checker.scopes.take_changed() && !maps_changed {
            break;
        }
    }
    let maps = checker.finish_maps();
    diagnostics.append(checker.diagnostics);
    hir::Program { maps, probes, stack_maps: checker.stack_maps, exits: checker.exits }
}

impl<'a> Checker<'a> {
    fn probes(&mut self, groups: &[Group<'a>]) -> Vec<hir::Probe> {
        groups.iter().enumerate().filter_map(|(index, group)| self.probe(index, group)).collect()
    }

    fn probe(&mut self, index: usize, group: &Group<'a>) -> Option<hir::Probe> {
        let first = group.sites.first()?;
        self.context = first.context.clone();
        self.probe_name = first.name.clone();
        self.program = first.types.clone();
        self.probe = Some(group.probe);
        self.attach = Some(first.attach.clone());
        self.loops = 0;
        self.turns = 1;
        self.calls_back = false;
        self.has_functions = false;
        self.scopes.enter_probe(index);
        let predicate = group.probe.predicate.as_ref().map(|e| self.condition(e));
        let body = self.block(&group.probe.body);
        let addressed = self.scopes.take_addressed();
        let (vars, early) = self.scopes.leave_probe();
        let calls_back = self.calls_back;
        Some(hir::Probe {
            sites: group.sites.clone(),
            vars,
            early,
            addressed,
            calls_back,
            has_functions: self.has_functions || calls_back,
            predicate,
            body,
            span: group.probe.span,
        })
    }

    /// Notes that the script ends itself.
    pub fn note_exit(&mut self) {
        self.exits = true;
    }

    /// The call of the macro whose body holds the code at `span`.
    pub fn expanded_from(&self, span: Span) -> Option<Span> {
        self.blocks.iter().rev().copied().find(|block| span.start < block.start || span.end > block.end)
    }

    /// Reports a finding.
    pub fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Reports an error and gives the node that stands for it.
    pub fn error(&mut self, code: &'static str, span: Span, message: impl Into<String>) -> hir::Expr {
        self.report(Diagnostic::error(code, span, message));
        hir::Expr::poison(span)
    }

    /// Reports what the language has and this compiler not yet.
    pub fn unsupported(&mut self, span: Span, what: &str) -> hir::Expr {
        self.error("E0901", span, format!("{what} is not supported yet"))
    }

    /// The map for stacks of this kind.
    pub fn stack_map(&mut self, wanted: hir::StackMap) -> StackMapId {
        let index = self.stack_maps.iter().position(|map| *map == wanted).unwrap_or_else(|| {
            self.stack_maps.push(wanted);
            self.stack_maps.len() - 1
        });
        StackMapId(index as u16)
    }

    /// Whether the program runs where memory of a kernel older than 6.1 must have been allocated beforehand.
    pub fn is_overflow(&self) -> bool {
        self.context == Context::Overflow
    }
}
