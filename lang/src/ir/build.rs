//! Building a function block by block: what `lower` writes with.
//!
//! The builder has a current block and a current place in the script; each method appends one instruction there. What is
//! appended behind a terminator can never run and is dropped, so that lowering need not ask whether `return` came before.

use bpf::helper::Helper;

use super::{
    Base, Block, BlockId, Cmp, Function, FunctionId, Inst, MapRef, Op, Operand, Slot, SlotId, Term, VReg, Width,
};
use crate::span::Span;

/// A function in the making.
#[derive(Debug)]
pub struct Builder {
    function: Function,
    current: BlockId,
    /// Parallel to the blocks: whether the terminator has been given.
    ended: Vec<bool>,
    span: Span,
    /// In a function that is called back: the register its caller's context was read into.
    context: Option<VReg>,
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

impl Builder {
    /// An empty function whose entry block is the current one.
    pub fn new() -> Self {
        let mut builder = Self {
            function: Function::default(),
            current: BlockId(0),
            ended: Vec::new(),
            span: Span::default(),
            context: None,
        };
        builder.new_block();
        builder
    }

    /// The function. A block that was never ended leaves the program with 0.
    pub fn finish(self) -> Function {
        self.function
    }

    /// Sets the place that following instructions come from; returns the former one.
    pub fn set_span(&mut self, span: Span) -> Span {
        std::mem::replace(&mut self.span, span)
    }

    /// The place that following instructions come from.
    pub fn span(&self) -> Span {
        self.span
    }

    /// A new block, which does not become the current one.
    pub fn new_block(&mut self) -> BlockId {
        let id = BlockId(self.function.blocks.len() as u32);
        self.function.blocks.push(Block { insts: Vec::new(), term: Term::Exit(Operand::Imm(0)), term_span: self.span });
        self.ended.push(false);
        id
    }

    /// Makes `block` the current one.
    pub fn switch_to(&mut self, block: BlockId) {
        self.current = block;
    }

    /// The current block.
    pub fn current(&self) -> BlockId {
        self.current
    }

    /// Whether the current block has its terminator, so that what is appended is dropped.
    pub fn is_ended(&self) -> bool {
        self.ended.get(self.current.0 as usize).copied().unwrap_or(true)
    }

    /// A new register.
    pub fn vreg(&mut self) -> VReg {
        let register = VReg(self.function.vregs);
        self.function.vregs += 1;
        register
    }

    /// `size` new bytes on the stack, 8-byte aligned.
    pub fn slot(&mut self, size: u32) -> SlotId {
        let slot = SlotId(self.function.slots.len() as u32);
        self.function.slots.push(Slot { size });
        slot
    }

    /// The size of a slot in bytes; 0 for one of another function.
    pub fn slot_size(&self, slot: SlotId) -> u32 {
        self.function.slots.get(slot.0 as usize).map_or(0, |slot| slot.size)
    }

    /// Appends any instruction.
    pub fn push(&mut self, inst: Inst) {
        if self.is_ended() {
            return;
        }
        let span = self.span;
        if let Some(block) = self.function.blocks.get_mut(self.current.0 as usize) {
            block.insts.push((inst, span));
        }
    }

    /// Ends the current block in any way.
    pub fn end(&mut self, term: Term) {
        let index = self.current.0 as usize;
        if self.is_ended() {
            return;
        }
        if let (Some(block), Some(ended)) = (self.function.blocks.get_mut(index), self.ended.get_mut(index)) {
            block.term = term;
            block.term_span = self.span;
            *ended = true;
        }
    }

    /// Ends the current block: go to `target`.
    pub fn jump(&mut self, target: BlockId) {
        self.end(Term::Jump(target));
    }

    /// Ends the current block: go to `then` where `a cmp b` holds, else to `otherwise`.
    pub fn branch(
        &mut self,
        cmp: Cmp,
        a: impl Into<Operand>,
        b: impl Into<Operand>,
        then: BlockId,
        otherwise: BlockId,
    ) {
        self.end(Term::Branch { cmp, a: a.into(), b: b.into(), then, otherwise });
    }

    /// Goes to `target` where `a cmp b` holds; the current block becomes a new one, reached otherwise.
    pub fn branch_if(&mut self, cmp: Cmp, a: impl Into<Operand>, b: impl Into<Operand>, target: BlockId) {
        let next = self.new_block();
        self.branch(cmp, a, b, target, next);
        self.switch_to(next);
    }

    /// Ends the current block: leave the program with `value`.
    pub fn exit(&mut self, value: impl Into<Operand>) {
        self.end(Term::Exit(value.into()));
    }

    /// A new register that holds `value`.
    pub fn copy(&mut self, value: impl Into<Operand>) -> VReg {
        let dst = self.vreg();
        self.assign(dst, value);
        dst
    }

    /// `dst = value`
    pub fn assign(&mut self, dst: VReg, value: impl Into<Operand>) {
        self.push(Inst::Copy { dst, value: value.into() });
    }

    /// `a op b`
    pub fn bin(&mut self, op: Op, a: impl Into<Operand>, b: impl Into<Operand>) -> VReg {
        let dst = self.vreg();
        self.push(Inst::Bin { dst, op, a: a.into(), b: b.into() });
        dst
    }

    /// `a + b`
    pub fn add(&mut self, a: impl Into<Operand>, b: impl Into<Operand>) -> VReg {
        self.bin(Op::Add, a, b)
    }

    /// `a - b`
    pub fn sub(&mut self, a: impl Into<Operand>, b: impl Into<Operand>) -> VReg {
        self.bin(Op::Sub, a, b)
    }

    /// `a * b`
    pub fn mul(&mut self, a: impl Into<Operand>, b: impl Into<Operand>) -> VReg {
        self.bin(Op::Mul, a, b)
    }

    /// `a & b`
    pub fn and(&mut self, a: impl Into<Operand>, b: impl Into<Operand>) -> VReg {
        self.bin(Op::And, a, b)
    }

    /// `a | b`
    pub fn or(&mut self, a: impl Into<Operand>, b: impl Into<Operand>) -> VReg {
        self.bin(Op::Or, a, b)
    }

    /// `a << b`
    pub fn shl(&mut self, a: impl Into<Operand>, b: impl Into<Operand>) -> VReg {
        self.bin(Op::Shl, a, b)
    }

    /// `a >> b`, filled with zeros.
    pub fn lshr(&mut self, a: impl Into<Operand>, b: impl Into<Operand>) -> VReg {
        self.bin(Op::LShr, a, b)
    }

    /// `a >> b`, filled with the sign.
    pub fn ashr(&mut self, a: impl Into<Operand>, b: impl Into<Operand>) -> VReg {
        self.bin(Op::AShr, a, b)
    }

    /// The low `width` of `value`, sign or zero extended.
    pub fn extend(&mut self, value: impl Into<Operand>, width: Width, signed: bool) -> VReg {
        let dst = self.vreg();
        self.push(Inst::Extend { dst, value: value.into(), width, signed });
        dst
    }

    /// The low `width` bytes of `value` in reverse order, zero extended.
    pub fn swap(&mut self, value: VReg, width: Width) -> VReg {
        let dst = self.vreg();
        self.push(Inst::Swap { dst, value, width });
        dst
    }

    /// 1 where `a cmp b` holds, else 0.
    pub fn set(&mut self, cmp: Cmp, a: impl Into<Operand>, b: impl Into<Operand>) -> VReg {
        let dst = self.vreg();
        self.push(Inst::Set { dst, cmp, a: a.into(), b: b.into() });
        dst
    }

    /// `*(width *)(base + offset)`, sign or zero extended.
    pub fn load(&mut self, base: impl Into<Base>, offset: i32, width: Width, signed: bool) -> VReg {
        let dst = self.vreg();
        self.push(Inst::Load { dst, base: base.into(), offset, width, signed });
        dst
    }

    /// `*(width *)(base + offset) = value`
    pub fn store(&mut self, base: impl Into<Base>, offset: i32, width: Width, value: impl Into<Operand>) {
        self.push(Inst::Store { base: base.into(), offset, width, value: value.into() });
    }

    /// Writes `bytes` constant bytes of zero at `base + offset`, widest stores first. `offset` must be aligned for the widest.
    pub fn store_zeros(&mut self, base: impl Into<Base>, offset: i32, bytes: u32) {
        let base = base.into();
        let mut at = offset;
        let end = offset.saturating_add_unsigned(bytes);
        while at < end {
            let width = [Width::B8, Width::B4, Width::B2]
                .into_iter()
                .find(|w| at % (w.bytes() as i32) == 0 && end - at >= w.bytes() as i32)
                .unwrap_or(Width::B1);
            self.store(base, at, width, 0);
            at += width.bytes() as i32;
        }
    }

    /// `*(width *)(base + offset) += value`, atomically; `width` is 4 or 8.
    pub fn atomic_add(&mut self, base: impl Into<Base>, offset: i32, width: Width, value: VReg) {
        self.push(Inst::AtomicAdd { base: base.into(), offset, width, value });
    }

    /// The address of byte `offset` of a slot.
    pub fn slot_addr(&mut self, slot: SlotId, offset: i32) -> VReg {
        let dst = self.vreg();
        self.push(Inst::SlotAddr { dst, slot, offset });
        dst
    }

    /// A map, as helpers want it.
    pub fn map_addr(&mut self, map: MapRef) -> VReg {
        let dst = self.vreg();
        self.push(Inst::MapAddr { dst, map });
        dst
    }

    /// The address of byte `offset` of the only value of an array map.
    pub fn map_value_addr(&mut self, map: MapRef, offset: u32) -> VReg {
        let dst = self.vreg();
        self.push(Inst::MapValueAddr { dst, map, offset });
        dst
    }

    /// An argument of a function that is called back, counted from 0.
    pub fn argument(&mut self, index: u8) -> VReg {
        let dst = self.vreg();
        self.push(Inst::Argument { dst, index });
        dst
    }

    /// The address of another function of the program.
    pub fn function_addr(&mut self, function: FunctionId) -> VReg {
        let dst = self.vreg();
        self.push(Inst::FunctionAddr { dst, function });
        dst
    }

    /// Takes `register` for the program's context from now on, in a function that does not start with it.
    pub fn set_context(&mut self, register: VReg) {
        self.context = Some(register);
    }

    /// Whether this is a function that is called back.
    pub fn is_called_back(&self) -> bool {
        self.context.is_some()
    }

    /// The program's context.
    pub fn context(&mut self) -> VReg {
        if let Some(register) = self.context {
            return register;
        }
        let dst = self.vreg();
        self.push(Inst::Context { dst });
        dst
    }

    /// `helper(args)`; at most five arguments.
    pub fn call(&mut self, helper: Helper, args: &[Operand]) -> VReg {
        let dst = self.vreg();
        self.push(Inst::Call { dst: Some(dst), helper, args: args.to_vec() });
        dst
    }

    /// `function(args)`, a function of the kernel by its number among the kernel's types; at most five arguments.
    pub fn call_kernel(&mut self, function: u32, args: &[Operand]) -> VReg {
        let dst = self.vreg();
        self.push(Inst::CallKernel { dst, function, args: args.to_vec() });
        dst
    }

    /// `helper(args)` for its effect alone.
    pub fn call_void(&mut self, helper: Helper, args: &[Operand]) {
        self.push(Inst::Call { dst: None, helper, args: args.to_vec() });
    }
}
