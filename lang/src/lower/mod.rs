//! From checked probes to the low-level form: one function for each BPF program, and the BPF maps and events they share.
//!
//! Values are either scalars in registers or bytes in memory ([`Place`]), laid out as the schema says. Strings in named memory
//! (maps, variables, keys) are filled up with NULs; in ring buffer records what follows a string's NUL is of no meaning.
//!
//! Invariants: a helper's failure never stops a program half way through a record; what could not be kept is counted in the Lost map;
//! every index into memory is bounded by a comparison that the kernel's verifier sees.

mod arithmetic;
mod call_back;
mod condition;
mod context;
mod element;
mod event;
mod expr;
mod layout;
mod memory;
mod part;
mod read;
mod resources;
mod search;
mod session;
mod step;
mod stmt;
mod storage;
mod task;
mod total;
mod unwind;

pub use context::name_bytes;
pub use event::{HEADER, Record};
pub use memory::{Fill, Place};
pub use resources::{Lost, Resources, stack_bytes};
pub use session::bodies;
pub use task::COMM_BYTES;
pub use unwind::follows_tables;

use report::schema::Part;

use crate::compiled::Attach;
use crate::config::Config;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::expand::Site;
use crate::hir;
use crate::ir::build::Builder;
use crate::ir::{BlockId, Cmp, Function, Operand, VReg};
use crate::options::Options;
use crate::span::Span;
use crate::target::Target;
use storage::{Storage, Temps};

/// What all programs of a script are lowered with.
#[derive(Clone, Copy)]
pub struct Unit<'a> {
    /// The script's text, for lines and columns in messages.
    pub src: &'a str,
    /// The checked script.
    pub program: &'a hir::Program,
    /// The node.
    pub target: &'a Target,
    /// The script's settings.
    pub config: &'a Config,
    /// What the user said.
    pub options: &'a Options,
}

/// One program in the making.
pub struct Lowerer<'a> {
    /// The code so far.
    pub b: Builder,
    /// What all programs are lowered with.
    pub unit: Unit<'a>,
    /// The BPF maps and events that all programs share.
    pub resources: &'a mut Resources,
    probe: &'a hir::Probe,
    vars: Vec<Storage>,
    temps: Temps,
    loops: Vec<Loop>,
    leave: BlockId,
    /// The address of the name of the system call's attach point, where one program serves many.
    called: Option<VReg>,
    /// What a test returns.
    result: Option<VReg>,
    /// Functions that helpers call back, from number 1 on.
    functions: Vec<Function>,
    /// Statements that may still be made.
    budget: u32,
    diagnostics: &'a mut Diagnostics,
}

/// Statements of one program after unrolling, far more than the kernel would load.
const MOST_STATEMENTS: u32 = 10_000;

/// Where `break` and `continue` go.
#[derive(Clone, Copy)]
struct Loop {
    done: BlockId,
    next: BlockId,
}

/// The code of one program: where it starts, then the functions that are called back, by their numbers.
///
/// A program that runs at functions' entry and return has the probe of the return as well.
pub fn lower(
    unit: Unit<'_>,
    probe: &hir::Probe,
    at_return: Option<&hir::Probe>,
    resources: &mut Resources,
    diagnostics: &mut Diagnostics,
) -> Vec<Function> {
    let mut b = Builder::new();
    b.set_span(probe.span);
    let (entry, start, leave) = (b.current(), b.new_block(), b.new_block());
    b.switch_to(start);
    let mut lowerer = Lowerer {
        b,
        unit,
        resources,
        probe,
        vars: vec![],
        temps: if probe.has_functions { Temps::narrow() } else { Temps::default() },
        loops: vec![],
        leave,
        called: None,
        result: None,
        functions: vec![],
        budget: MOST_STATEMENTS,
        diagnostics,
    };
    if probe.sites.iter().any(|site| matches!(site.attach, Attach::Trial { .. })) {
        lowerer.result = Some(lowerer.b.vreg());
    }
    let returning = at_return.map(|_| lowerer.branch_on_return());
    lowerer.body();
    if let Some((at_return, block)) = at_return.zip(returning) {
        lowerer.b.switch_to(block);
        lowerer.probe = at_return;
        lowerer.body();
    }
    lowerer.b.switch_to(leave);
    let result = lowerer.result.map_or(Operand::Imm(0), Operand::Reg);
    lowerer.b.exit(result);
    lowerer.enter(entry, start);
    let mut functions = vec![lowerer.b.finish()];
    functions.append(&mut lowerer.functions);
    functions
}

impl<'a> Lowerer<'a> {
    /// All that happens for one probe.
    fn body(&mut self) {
        let (probe, leave) = (self.probe, self.leave);
        self.declare_variables();
        self.filter_ended();
        self.filter_process();
        self.filter_context();
        if let Some(predicate) = &probe.predicate {
            let body = self.b.new_block();
            self.branch(predicate, body, leave);
            self.b.switch_to(body);
            self.release_temps(0);
        }
        self.stmts(&probe.body);
        self.release_temps(0);
        self.b.jump(leave);
    }

    /// What must be there before the body, known only after it.
    fn enter(&mut self, entry: BlockId, start: BlockId) {
        self.b.switch_to(entry);
        if let Some(result) = self.result {
            self.b.assign(result, 0);
        }
        if let Some(scratch) = self.temps.scratch_register() {
            self.find_scratch(scratch);
        }
        self.b.jump(start);
    }

    /// With `--pid`, nothing happens in other processes. What no process causes happens all the same.
    fn filter_process(&mut self) {
        let Some(pid) = self.unit.options.pid else { return };
        let of_nobody = |site: &Site| {
            site.attach.is_by_hand() || matches!(site.attach, Attach::Interval { .. } | Attach::Iter { .. })
        };
        if self.probe.sites.iter().any(of_nobody) {
            return;
        }
        let tgid = self.process_id();
        let leave = self.leave;
        self.b.branch_if(Cmp::Ne, tgid, i64::from(pid), leave);
    }

    /// Leaves the program.
    pub fn leave(&mut self) {
        let leave = self.leave;
        self.b.jump(leave);
        let unreachable = self.b.new_block();
        self.b.switch_to(unreachable);
    }

    /// The probe at hand.
    pub fn probe(&self) -> &'a hir::Probe {
        self.probe
    }

    /// A map of the script.
    pub fn map_info(&self, map: hir::Map) -> &'a hir::MapInfo {
        // Maps are numbered by the checker that made this very list.
        const NONE: &hir::MapInfo = &hir::MapInfo {
            name: String::new(),
            key: None,
            value: crate::types::Ty::Unknown,
            entries: 1,
            evicts: false,
            span: Span { start: 0, end: 0 },
        };
        self.unit.program.maps.get(usize::from(map.0)).unwrap_or(NONE)
    }

    /// Reports what turned out only here, as a limit of BPF.
    pub fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// The first line of a span.
    pub fn part(&self, span: Span) -> Part {
        let before = self.unit.src.get(..span.start as usize).unwrap_or(self.unit.src);
        let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
        let column = before.len() - before.rfind('\n').map_or(0, |at| at + 1) + 1;
        let part = self.unit.src.get(span.start as usize..span.end as usize).unwrap_or_default();
        let width = part.lines().next().map_or(0, str::len);
        Part { line: line as u32, column: column as u32, end: (column + width) as u32 }
    }
}
