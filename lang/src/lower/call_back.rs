//! Loops whose turns are calls: `bpf_loop` and `bpf_for_each_map_elem` call a function of the program for each turn, which the
//! verifier follows once.
//!
//! Such a function finds in a frame on its caller's stack what it shares with it: the context, the address of scratch, where all
//! variables are, and whether it wants to leave the probe. It returns 0 to go on and 1 to stop.

use bpf::helper::Helper;
use report::schema::{EventKind, PrintfTo};

use super::event::HEADER;
use super::memory::component_types;
use super::storage::{Storage, Temps};
use super::{Loop, Lowerer};
use crate::check::MOST_CALLED;
use crate::hir::{Expr, ExprKind, Map, Stmt, Var};
use crate::ir::build::Builder;
use crate::ir::{BlockId, Cmp, FunctionId, Operand, SlotId, VReg, Width};
use crate::types::{I64, Ty, offsets};

/// Where the frame has the program's context.
const CONTEXT: i32 = 0;
/// Where it has the address of scratch.
const SCRATCH: i32 = 8;
/// Where it has whether a turn wants to leave the probe.
const LEAVES: i32 = 16;
/// Where it has the first number of a range, what was found, or what else its maker shares.
const FIRST: i32 = 24;
/// Where it has the address of the name of the system call's attach point, where one program serves many.
const CALLED: i32 = 32;
/// Bytes of it.
const FRAME: u32 = 40;

impl Lowerer<'_> {
    /// `for ($i : start..end)`; its bounds are read once.
    pub(super) fn range_called(&mut self, var: Var, start: &Expr, end: &Expr, body: &[Stmt]) {
        let (start, end) = (self.register(start), self.register(end));
        let done = self.b.new_block();
        self.b.branch_if(Cmp::SGe, start, end, done);
        let count = self.b.sub(end, start);
        let count = self.at_most_turns(count);
        let frame = self.frame();
        self.b.store(frame, FIRST, Width::B8, start);
        let turn = self.turn(1, |lowerer, frame| {
            let index = lowerer.b.argument(0);
            let first = lowerer.b.load(frame, FIRST, Width::B8, false);
            let number = lowerer.b.add(first, index);
            lowerer.set_counter(var, number);
            lowerer.stmts(body);
        });
        self.call_loop(count.into(), turn, frame);
        self.b.jump(done);
        self.b.switch_to(done);
    }

    /// `while (condition)`
    pub(super) fn while_called(&mut self, condition: &Expr, body: &[Stmt]) {
        let frame = self.frame();
        let turn = self.turn(1, |lowerer, _| {
            let inside = lowerer.b.new_block();
            let stop = lowerer.loops.last().map_or(lowerer.leave, |around| around.done);
            lowerer.branch(condition, inside, stop);
            lowerer.b.switch_to(inside);
            lowerer.release_temps(0);
            lowerer.stmts(body);
        });
        let turns = self.call_loop(Operand::Imm(MOST_CALLED), turn, frame);
        let (cut, done) = (self.b.new_block(), self.b.new_block());
        self.b.branch(Cmp::Eq, turns, MOST_CALLED, cut, done);
        self.b.switch_to(cut);
        self.warn_cut();
        self.b.jump(done);
        self.b.switch_to(done);
    }

    /// `for ($kv : @map)`
    pub(super) fn map_called(&mut self, var: Var, map: Map, body: &[Stmt]) {
        let Some((bpf_map, _)) = self.resources.map(map) else { return };
        let frame = self.frame();
        let turn = self.turn(3, |lowerer, _| {
            lowerer.take_element(var, map);
            lowerer.stmts(body);
        });
        let (elements, function) = (self.b.map_addr(bpf_map), self.b.function_addr(turn));
        let frame_address = self.b.slot_addr(frame, 0);
        let args = [elements.into(), function.into(), frame_address.into(), Operand::Imm(0)];
        self.b.call_void(Helper::ForEachMapElem, &args);
        self.leave_if_wanted(frame);
    }

    /// How many elements a map has.
    pub fn count_elements(&mut self, map: Map) -> Operand {
        let Some((bpf_map, _)) = self.resources.map(map) else { return Operand::Imm(0) };
        let frame = self.frame();
        let turn = self.turn(3, |_, _| {});
        let (elements, function) = (self.b.map_addr(bpf_map), self.b.function_addr(turn));
        let frame_address = self.b.slot_addr(frame, 0);
        let args = [elements.into(), function.into(), frame_address.into(), Operand::Imm(0)];
        self.b.call(Helper::ForEachMapElem, &args).into()
    }

    /// Calls a function for each number from 0 below `size` until it has found something; the number, or `missing`. `step` is
    /// given the number and where to go when it is the one sought, when not, and when there is nothing more to find.
    pub(super) fn call_search(
        &mut self,
        missing: i64,
        size: i64,
        step: impl FnOnce(&mut Self, VReg, BlockId, BlockId, BlockId),
    ) -> VReg {
        let frame = self.frame();
        self.b.store(frame, FIRST, Width::B8, missing);
        let turn = self.turn(1, |lowerer, frame| {
            let at = lowerer.b.argument(0);
            let Some(Loop { done, next }) = lowerer.loops.last().copied() else { return };
            lowerer.b.branch_if(Cmp::UGe, at, size, done);
            let same = lowerer.b.new_block();
            step(lowerer, at, same, next, done);
            lowerer.b.switch_to(same);
            lowerer.b.store(frame, FIRST, Width::B8, at);
            lowerer.b.jump(done);
        });
        self.call_turns(size, turn, frame);
        self.b.load(frame, FIRST, Width::B8, true)
    }

    /// Writes the key and the value a turn is called for into the loop's variable.
    fn take_element(&mut self, var: Var, map: Map) {
        let Some((_, layout)) = self.resources.map(map) else { return };
        let Some(place) = self.variable_place(var) else { return };
        let ty = self.probe().vars.get(var.0 as usize).cloned().unwrap_or(Ty::Unknown);
        let types = component_types(&ty);
        let places = offsets(types.iter());
        let ([key_ty, value_ty], [(key_at, key_layout), (value_at, value_layout)]) =
            (types.as_slice(), places.as_slice())
        else {
            return;
        };
        let (key, value) = (self.b.argument(1), self.b.argument(2));
        self.copy(key.into(), place.at(*key_at), key_layout.size);
        let to = place.at(*value_at);
        if layout.per_cpu() {
            let span = self.b.span();
            let whole = Expr { kind: ExprKind::Var(var), ty: ty.clone(), span };
            let kind = ExprKind::Component { base: Box::new(whole), index: 0 };
            let key = Expr { kind, ty: key_ty.clone(), span };
            let total = self.total(map, Some(&key), &layout.kind);
            return self.store(to, value_ty, total);
        }
        if value_ty.is_scalar() {
            let value = self.load(value.into(), value_ty);
            return self.store(to, value_ty, value);
        }
        self.copy(value.into(), to, value_layout.size);
    }

    /// Sets the variable of a loop over numbers.
    pub(super) fn set_counter(&mut self, var: Var, number: VReg) {
        match self.variable(var) {
            Storage::Register(register) => self.b.assign(register, number),
            Storage::Memory(place) => {
                let ty = self.probe().vars.get(var.0 as usize).cloned().unwrap_or(I64);
                self.store(place, &ty, number);
            }
        }
    }

    /// A frame with something more that a function finds by [`Lowerer::shared_with_turn`].
    pub(super) fn frame_with(&mut self, shared: VReg) -> SlotId {
        let frame = self.frame();
        self.b.store(frame, FIRST, Width::B8, shared);
        frame
    }

    /// What the maker of the frame shares with a turn.
    pub(super) fn shared_with_turn(&mut self, frame: VReg) -> VReg {
        self.b.load(frame, FIRST, Width::B8, false)
    }

    /// Where a turn goes to be the last, and where to have another follow.
    pub(super) fn ways_of_turn(&self) -> Option<(BlockId, BlockId)> {
        self.loops.last().map(|Loop { done, next }| (*done, *next))
    }

    /// Calls a function that never leaves the probe, for at most so many turns.
    pub(super) fn call_turns(&mut self, most: i64, turn: FunctionId, frame: SlotId) {
        let (function, frame_address) = (self.b.function_addr(turn), self.b.slot_addr(frame, 0));
        let args = [Operand::Imm(most), function.into(), frame_address.into(), Operand::Imm(0)];
        self.b.call_void(Helper::Loop, &args);
    }

    /// A frame for the functions called from here.
    fn frame(&mut self) -> SlotId {
        let frame = self.b.slot(FRAME);
        let (context, scratch) = (self.b.context(), self.scratch_register());
        self.b.store(frame, CONTEXT, Width::B8, context);
        self.b.store(frame, SCRATCH, Width::B8, scratch);
        self.b.store(frame, LEAVES, Width::B8, 0);
        if let Some(called) = self.called {
            self.b.store(frame, CALLED, Width::B8, called);
        }
        frame
    }

    /// Makes the function of one turn; the frame is its argument `frame`. `body` is given the frame's address.
    pub(super) fn turn(&mut self, frame: u8, body: impl FnOnce(&mut Self, VReg)) -> FunctionId {
        let mut function = Builder::new();
        function.set_span(self.b.span());
        let frame = function.argument(frame);
        let context = function.load(frame, CONTEXT, Width::B8, false);
        function.set_context(context);
        let scratch = function.load(frame, SCRATCH, Width::B8, false);
        let (go_on, stop, leave) = (function.new_block(), function.new_block(), function.new_block());

        let temps = Temps::of_function(&self.temps, scratch);
        let caller = std::mem::replace(&mut self.b, function);
        let caller_temps = std::mem::replace(&mut self.temps, temps);
        let caller_vars = self.move_variables(scratch);
        let caller_loops = std::mem::replace(&mut self.loops, vec![Loop { done: stop, next: go_on }]);
        let caller_called = self.called;
        self.called = caller_called.map(|_| self.b.load(frame, CALLED, Width::B8, false));
        let caller_leave = std::mem::replace(&mut self.leave, leave);
        body(self, frame);
        self.b.jump(go_on);
        self.b.switch_to(go_on);
        self.b.exit(0);
        self.b.switch_to(leave);
        self.b.store(frame, LEAVES, Width::B8, 1);
        self.b.jump(stop);
        self.b.switch_to(stop);
        self.b.exit(1);

        let function = std::mem::replace(&mut self.b, caller).finish();
        let temps = std::mem::replace(&mut self.temps, caller_temps);
        self.temps.pass(&temps);
        self.vars = caller_vars;
        self.loops = caller_loops;
        self.leave = caller_leave;
        self.called = caller_called;
        self.functions.push(function);
        FunctionId(self.functions.len() as u32)
    }

    /// Calls a function for each of `count` turns; how many there were.
    fn call_loop(&mut self, count: Operand, turn: FunctionId, frame: SlotId) -> VReg {
        let (function, frame_address) = (self.b.function_addr(turn), self.b.slot_addr(frame, 0));
        let args = [count, function.into(), frame_address.into(), Operand::Imm(0)];
        let turns = self.b.call(Helper::Loop, &args);
        self.leave_if_wanted(frame);
        turns
    }

    /// Behind a loop: leaves the probe if a turn said so.
    fn leave_if_wanted(&mut self, frame: SlotId) {
        let wanted = self.b.load(frame, LEAVES, Width::B8, false);
        let leave = self.leave;
        self.b.branch_if(Cmp::Ne, wanted, 0, leave);
    }

    /// A number of turns that the helper takes; what is beyond is left out, and said.
    fn at_most_turns(&mut self, count: VReg) -> VReg {
        let turns = self.b.copy(count);
        let (cut, fits) = (self.b.new_block(), self.b.new_block());
        self.b.branch(Cmp::ULe, turns, MOST_CALLED, fits, cut);
        self.b.switch_to(cut);
        self.warn_cut();
        self.b.assign(turns, MOST_CALLED);
        self.b.jump(fits);
        self.b.switch_to(fits);
        turns
    }

    fn warn_cut(&mut self) {
        let at = self.here();
        let format = format!("the loop was cut off after {MOST_CALLED} turns");
        self.send(EventKind::Printf { to: PrintfTo::Warning(at.into()), format, args: vec![] }, HEADER, |_, _| {});
    }
}
