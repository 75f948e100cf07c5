//! Loops: over numbers, over a map, while something holds.
//!
//! Rules: a map that is looped over has a key and holds what is one value; a loop whose turns the verifier could not follow one by
//! one is made of calls, which the kernel must have.

use super::Checker;
use super::soft::{Soft, unify_soft};
use crate::ast::{Block, Expr};
use crate::diagnostic::Diagnostic;
use crate::hir::{StmtKind, Turns};
use crate::lower::follows_tables;
use crate::span::{Span, Spanned};
use crate::target::Arch;
use crate::types::{I64, Ty};

/// Turns the verifier follows one by one, those of loops around each other multiplied.
const MOST_JUMPED: u32 = 64;
/// The same on kernels without calls, where a loop is either jumped or refused.
const MOST_JUMPED_ALONE: u32 = 1024;
/// Steps of a search that are jumped, each counted with the words it compares.
const MOST_STEPS_JUMPED: u32 = 256;
/// The most turns `bpf_loop` takes.
pub const MOST_CALLED: i64 = 1 << 23;

impl Checker<'_> {
    pub(super) fn while_loop(&mut self, condition: &Expr, body: &Block) -> StmtKind {
        // Without calls the verifier is left to find an end: a counter that is compared with a constant has one.
        let turns = if self.target.features.bpf_loop { Turns::Called } else { Turns::Jumped };
        let around = self.enter_turns(turns, 1);
        let condition = self.condition(condition);
        let body = self.loop_body(body);
        self.turns = around;
        StmtKind::While { condition, body, turns }
    }

    pub(super) fn for_range(
        &mut self,
        variable: &Spanned<String>,
        start: &Expr,
        end: &Expr,
        body: &Block,
    ) -> Option<StmtKind> {
        let range = start.span.to(end.span);
        let (start, end) = (self.integer(start), self.integer(end));
        let constant = start.constant().zip(end.constant()).map(|(start, end)| end.saturating_sub(start).max(0));
        let turns = self.turns_of(constant, range);
        let count = constant.and_then(|count| u32::try_from(count).ok()).unwrap_or(1);
        let around = self.enter_turns(turns.unwrap_or(Turns::Jumped), count.max(1));
        self.open_scope();
        let (first, last) = (self.softness(&start), self.softness(&end));
        let (ty, soft) = unify_soft((&start.ty, &first), (&end.ty, &last)).unwrap_or((I64, Soft::No));
        let var = self.declare(variable, Some(ty));
        self.soften(var, soft);
        let body = self.loop_body(body);
        self.close_scope();
        self.turns = around;
        Some(StmtKind::ForRange { var, start, end, body, turns: turns? })
    }

    /// How so many turns are made; `None` once it was reported that they cannot be.
    fn turns_of(&mut self, count: Option<i64>, range: Span) -> Option<Turns> {
        if count.is_some_and(|count| count > MOST_CALLED) {
            self.error("E0614", range, format!("a loop takes at most {MOST_CALLED} turns"));
            return None;
        }
        let called = self.target.features.bpf_loop;
        let most = if called { MOST_JUMPED } else { MOST_JUMPED_ALONE };
        match count {
            Some(count) if count.saturating_mul(self.turns.into()) <= most.into() => Some(Turns::Jumped),
            _ if called => Some(Turns::Called),
            _ => {
                let message = "this node's kernel cannot run a loop of so many turns";
                self.report(
                    Diagnostic::error("E0614", range, message)
                        .help(format!("before Linux 5.17 a loop has constant bounds and at most {most} turns")),
                );
                None
            }
        }
    }

    /// Notes a loop around what follows; what to restore behind it.
    fn enter_turns(&mut self, turns: Turns, count: u32) -> u32 {
        self.calls_back |= turns == Turns::Called;
        let inside = if turns == Turns::Called { 1 } else { self.turns.saturating_mul(count) };
        std::mem::replace(&mut self.turns, inside)
    }

    pub(super) fn for_map(
        &mut self,
        variable: &Spanned<String>,
        map: &Spanned<String>,
        body: &Block,
    ) -> Option<StmtKind> {
        self.require_assigned(&map.node, map.span);
        let used = self.plain_map(&map.node, map.span);
        let element = self.element_type(map);
        let around = self.enter_turns(Turns::Called, 1);
        self.open_scope();
        let var = self.declare(variable, Some(element.clone().unwrap_or(Ty::Unknown)));
        let body = self.loop_body(body);
        self.close_scope();
        self.turns = around;
        element.map(|_| StmtKind::ForMap { var, map: used.map, body })
    }

    /// How `steps` over memory are made, each of so much `work`; `None` once it was reported that they cannot be.
    pub fn steps(&mut self, steps: u32, work: u32, span: Span) -> Option<Turns> {
        if steps.saturating_mul(work) <= MOST_STEPS_JUMPED {
            return Some(Turns::Jumped);
        }
        if !self.target.features.bpf_loop {
            let message = "this node's kernel cannot search text of so many bytes";
            self.report(Diagnostic::error("E0614", span, message).help("read less of it: `str(address, length)`"));
            return None;
        }
        self.has_functions = true;
        Some(Turns::Called)
    }

    /// Whether programs can follow a process's stack by its tables; reported where they cannot.
    pub fn follows_tables(&mut self, span: Span) -> bool {
        let message = match () {
            () if self.target.arch != Arch::X86_64 => "stacks are followed by a process's tables on x86-64 alone",
            () if !follows_tables(self.target) => {
                "this node's kernel lets no program follow a process's stack: that needs Linux 5.17 with its types (BTF)"
            }
            () => {
                self.has_functions = true;
                return true;
            }
        };
        self.report(Diagnostic::error("E0527", span, message).help("`ustack` follows stacks by frame pointers"));
        false
    }

    /// Whether the kernel visits the elements of a map for a function; reported where it does not.
    pub fn visits_maps(&mut self, span: Span) -> bool {
        self.has_functions = true;
        if !self.target.features.bpf_loop {
            let message = "this node's kernel does not visit the elements of a map";
            self.report(Diagnostic::error("E0614", span, message).help("it needs Linux 5.17"));
        }
        self.target.features.bpf_loop
    }

    /// The tuple of a map's key and value.
    fn element_type(&mut self, map: &Spanned<String>) -> Option<Ty> {
        if !self.target.features.bpf_loop {
            let message = "this node's kernel cannot loop over a map";
            let help = format!("it needs Linux 5.17; `print({})` works everywhere", map.node);
            self.report(Diagnostic::error("E0614", map.span, message).help(help));
            return None;
        }
        let Some(key) = self.map_key(&map.node) else {
            self.error("E0615", map.span, format!("`{}` has no key, so there is nothing to loop over", map.node));
            return None;
        };
        let value = match self.map_value(&map.node) {
            Ty::Aggregate(kind) => {
                let value = self.total_type(&map.node, &kind, map.span);
                if value.as_ref().is_some_and(Ty::is_aggregate) {
                    let message = format!("`{}` holds histograms or statistics, which a loop cannot read", map.node);
                    self.error("E0615", map.span, message);
                    return None;
                }
                value?
            }
            value => value,
        };
        Some(Ty::Tuple([key, value].into()))
    }
}
