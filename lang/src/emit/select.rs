//! Instruction selection: a function of the low-level form becomes machine instructions over virtual registers.
//!
//! Addresses of slots and maps are made anew at every use: they cost an instruction or two and no register in between.
//! Comparisons with a value become branches, constants that do not fit an instruction get a register.

use bpf::opcode::Alu;

use super::layout::{Laid, layout};
use super::machine::{Block, Code, End, FIRST_VIRTUAL, Inst, Label, Place, Register, Value};
use super::operation::{alu, jump, size};
use crate::bits::BitSet;
use crate::ir::{self, Base, BlockId, Cmp, Function, FunctionId, MapRef, Op, Operand, SlotId, Term, VReg, Width};
use crate::span::Span;

/// The machine code of a function that keeps the rules of [`ir::verify`].
pub(super) fn select(function: &Function) -> Code {
    let order = layout(function);
    let blocks = function.blocks.len() as u32;
    let mut selector = Selector {
        cheap: cheap_values(function),
        context: Register(FIRST_VIRTUAL + function.vregs),
        code: Code {
            blocks: Vec::with_capacity(order.len() + 1),
            labels: blocks + 1,
            registers: function.vregs + 1,
            own_slots: function.slots.len(),
            slots: function.slots.clone(),
        },
        span: Span::default(),
        weight: 1.0,
    };
    let first = order.first().and_then(|entry| function.blocks.get(entry.id.0 as usize));
    selector.start(Label(blocks));
    selector.span =
        first.map(|block| block.insts.first().map_or(block.term_span, |(_, span)| *span)).unwrap_or_default();
    if function.insts().any(|inst| matches!(inst, ir::Inst::Context { .. })) {
        let dst = selector.context;
        selector.push(Inst::Move { dst, src: Register::CONTEXT });
    }
    for inst in function.insts() {
        if let ir::Inst::Argument { dst, index } = *inst {
            selector.push(Inst::Move { dst: Selector::own(dst), src: Register::argument(index.into()) });
        }
    }
    selector.end(End::Jump(Label(0)));
    for Laid { id, weight } in order {
        let Some(block) = function.blocks.get(id.0 as usize) else { continue };
        selector.weight = weight;
        selector.start(label(id));
        for (inst, span) in &block.insts {
            selector.span = *span;
            selector.inst(inst);
        }
        selector.span = block.term_span;
        selector.term(&block.term);
    }
    prune(&mut selector.code);
    selector.code
}

/// Drops blocks that cannot be reached, which the kernel's verifier refuses: a branch on constants leaves them.
fn prune(code: &mut Code) {
    let positions = code.positions();
    let mut reached = BitSet::new(code.blocks.len());
    let mut open = vec![0];
    while let Some(index) = open.pop() {
        let Some(block) = code.blocks.get(index).filter(|_| !reached.contains(index)) else { continue };
        reached.insert(index);
        open.extend(block.end.targets().filter_map(|label| positions.get(label.0 as usize)));
    }
    let mut index = 0;
    code.blocks.retain(|_| {
        index += 1;
        reached.contains(index - 1)
    });
}

/// A value that is made anew at each use.
#[derive(Clone, Copy)]
enum Cheap {
    Slot(SlotId, i32),
    Map(MapRef),
    Function(FunctionId),
    Context,
}

fn cheap_values(function: &Function) -> Vec<Option<Cheap>> {
    let once = function.assigned_once();
    let mut cheap = vec![None; function.vregs as usize];
    for inst in function.insts() {
        let value = match inst {
            ir::Inst::SlotAddr { slot, offset, .. } => Cheap::Slot(*slot, *offset),
            ir::Inst::MapAddr { map, .. } => Cheap::Map(*map),
            ir::Inst::FunctionAddr { function, .. } => Cheap::Function(*function),
            ir::Inst::Context { .. } => Cheap::Context,
            _ => continue,
        };
        let Some(dst) = inst.dst().filter(|dst| once.contains(*dst)) else { continue };
        if let Some(entry) = cheap.get_mut(dst.0 as usize) {
            *entry = Some(value);
        }
    }
    cheap
}

fn label(block: BlockId) -> Label {
    Label(block.0)
}

struct Selector {
    /// For each register of the function that is one: how to make it.
    cheap: Vec<Option<Cheap>>,
    /// Where the context is kept.
    context: Register,
    code: Code,
    span: Span,
    weight: f32,
}

impl Selector {
    fn start(&mut self, label: Label) {
        let (span, weight) = (self.span, self.weight);
        self.code.blocks.push(Block { label, insts: Vec::new(), end: End::Exit, end_span: span, weight });
    }

    fn push(&mut self, inst: Inst) {
        let span = self.span;
        if let Some(block) = self.code.blocks.last_mut() {
            block.insts.push((inst, span));
        }
    }

    fn end(&mut self, end: End) {
        let span = self.span;
        if let Some(block) = self.code.blocks.last_mut() {
            block.end = end;
            block.end_span = span;
        }
    }

    fn cheap(&self, register: VReg) -> Option<Cheap> {
        self.cheap.get(register.0 as usize).copied().flatten()
    }

    fn own(register: VReg) -> Register {
        Register(FIRST_VIRTUAL + register.0)
    }

    /// Makes a cheap value in `dst`.
    fn make(&mut self, dst: Register, cheap: Cheap) {
        match cheap {
            Cheap::Slot(slot, offset) => self.push(Inst::Frame { dst, slot, offset }),
            Cheap::Map(map) => self.push(Inst::Map { dst, map, value_offset: None }),
            Cheap::Function(function) => self.push(Inst::Function { dst, function }),
            Cheap::Context => self.push(Inst::Move { dst, src: self.context }),
        }
    }

    /// The register that holds a value.
    fn register(&mut self, register: VReg) -> Register {
        match self.cheap(register) {
            None => Self::own(register),
            Some(Cheap::Context) => self.context,
            Some(cheap) => {
                let dst = self.code.fresh();
                self.make(dst, cheap);
                dst
            }
        }
    }

    /// The operand as an instruction takes it.
    fn value(&mut self, operand: Operand) -> Value {
        match operand {
            Operand::Reg(register) => Value::Reg(self.register(register)),
            Operand::Imm(value) => match i32::try_from(value) {
                Ok(small) => Value::Imm(small),
                Err(_) => Value::Reg(self.constant(value)),
            },
        }
    }

    fn constant(&mut self, value: i64) -> Register {
        let dst = self.code.fresh();
        self.push(Inst::Const { dst, value });
        dst
    }

    /// `dst = operand`
    fn assign(&mut self, dst: Register, operand: Operand) {
        match operand {
            Operand::Imm(value) => self.push(Inst::Const { dst, value }),
            Operand::Reg(register) => match self.cheap(register) {
                Some(cheap) => self.make(dst, cheap),
                None => self.push(Inst::Move { dst, src: Self::own(register) }),
            },
        }
    }

    /// Memory at `base + offset`, with an offset that fits an instruction.
    fn place(&mut self, base: Base, offset: i32) -> (Place, i32) {
        let register = match base {
            Base::Slot(slot) => return (Place::Slot(slot), offset),
            Base::Reg(register) => register,
        };
        if let Some(Cheap::Slot(slot, start)) = self.cheap(register) {
            return (Place::Slot(slot), start.saturating_add(offset));
        }
        let register = self.register(register);
        if i16::try_from(offset).is_ok() {
            return (Place::Reg(register), offset);
        }
        let moved = self.code.fresh();
        self.push(Inst::Move { dst: moved, src: register });
        self.push(Inst::Alu { op: Alu::Add, dst: moved, value: Value::Imm(offset) });
        (Place::Reg(moved), 0)
    }

    fn inst(&mut self, inst: &ir::Inst) {
        if inst.dst().is_some_and(|dst| self.cheap(dst).is_some()) {
            return;
        }
        match *inst {
            ir::Inst::Copy { dst, value } => self.assign(Self::own(dst), value),
            ir::Inst::Bin { dst, op, a, b } => self.bin(Self::own(dst), op, a, b),
            ir::Inst::Extend { dst, value, width, signed } => self.extend(Self::own(dst), value, width, signed),
            ir::Inst::Swap { dst, value, width } => {
                let dst = Self::own(dst);
                self.assign(dst, value.into());
                self.push(match width {
                    Width::B1 => Inst::Alu { op: Alu::And, dst, value: Value::Imm(0xff) },
                    _ => Inst::Swap { dst, size: size(width) },
                });
            }
            ir::Inst::Set { dst, cmp, a, b } => self.set(Self::own(dst), cmp, a, b),
            ir::Inst::Load { dst, base, offset, width, signed } => {
                let dst = Self::own(dst);
                let (place, offset) = self.place(base, offset);
                self.push(Inst::Load { dst, place, offset, size: size(width) });
                if signed {
                    self.sign_extend(dst, width);
                }
            }
            ir::Inst::Store { base, offset, width, value } => {
                let (place, offset) = self.place(base, offset);
                let value = match value {
                    // Only the low bytes are stored.
                    Operand::Imm(value) if width != Width::B8 => Value::Imm(value as i32),
                    other => self.value(other),
                };
                self.push(Inst::Store { place, offset, size: size(width), value });
            }
            ir::Inst::AtomicAdd { base, offset, width, value } => {
                let (place, offset) = self.place(base, offset);
                let value = self.register(value);
                self.push(Inst::AtomicAdd { place, offset, size: size(width), value });
            }
            ir::Inst::SlotAddr { dst, slot, offset } => self.make(Self::own(dst), Cheap::Slot(slot, offset)),
            ir::Inst::MapAddr { dst, map } => self.make(Self::own(dst), Cheap::Map(map)),
            ir::Inst::MapValueAddr { dst, map, offset } => {
                self.push(Inst::Map { dst: Self::own(dst), map, value_offset: Some(offset) });
            }
            ir::Inst::FunctionAddr { dst, function } => self.make(Self::own(dst), Cheap::Function(function)),
            ir::Inst::Context { dst } => self.make(Self::own(dst), Cheap::Context),
            // Taken where the function starts, before a call loses it.
            ir::Inst::Argument { .. } => {}
            ir::Inst::Call { dst, helper, ref args } => {
                self.hand_over(args);
                self.push(Inst::Call { helper });
                if let Some(dst) = dst {
                    self.push(Inst::Move { dst: Self::own(dst), src: Register::RESULT });
                }
            }
            ir::Inst::CallKernel { dst, function, ref args } => {
                self.hand_over(args);
                self.push(Inst::CallKernel { function, args: args.len() });
                self.push(Inst::Move { dst: Self::own(dst), src: Register::RESULT });
            }
        }
    }

    /// Puts arguments where a call takes them. Values first: while they are moved, the constants need no register yet.
    fn hand_over(&mut self, args: &[Operand]) {
        for values in [true, false] {
            for (index, arg) in args.iter().enumerate() {
                let is_value = arg.register().is_some_and(|register| self.cheap(register).is_none());
                if is_value == values {
                    self.assign(Register::argument(index), *arg);
                }
            }
        }
    }

    fn bin(&mut self, dst: Register, op: Op, a: Operand, b: Operand) {
        let (a, b) = match (a, b) {
            (Operand::Imm(left), Operand::Imm(right)) => {
                return self.push(Inst::Const { dst, value: op.eval(left, right) });
            }
            (Operand::Imm(_), Operand::Reg(_)) if op.is_commutative() => (b, a),
            // The verifier refuses to divide by a constant zero.
            (_, Operand::Imm(0)) if op == Op::UDiv => return self.push(Inst::Const { dst, value: 0 }),
            (_, Operand::Imm(0)) if op == Op::UMod => return self.assign(dst, a),
            (_, Operand::Imm(bits)) if matches!(op, Op::Shl | Op::LShr | Op::AShr) => (a, Operand::Imm(bits & 63)),
            _ => (a, b),
        };
        let value = self.value(b);
        let op_code = alu(op);
        if value != Value::Reg(dst) {
            self.assign(dst, a);
            self.push(Inst::Alu { op: op_code, dst, value });
        } else if op.is_commutative() {
            let value = self.value(a);
            self.push(Inst::Alu { op: op_code, dst, value });
        } else {
            let result = self.code.fresh();
            self.assign(result, a);
            self.push(Inst::Alu { op: op_code, dst: result, value });
            self.push(Inst::Move { dst, src: result });
        }
    }

    fn extend(&mut self, dst: Register, value: Operand, width: Width, signed: bool) {
        match (width, signed, value) {
            (Width::B4, false, Operand::Reg(src)) => {
                let src = self.register(src);
                self.push(Inst::MoveLow { dst, src });
            }
            (_, true, _) | (Width::B8, ..) => {
                self.assign(dst, value);
                self.sign_extend(dst, width);
            }
            _ => {
                let mask = (1u64 << width.bits()) - 1;
                self.bin(dst, Op::And, value, Operand::Imm(mask as i64));
            }
        }
    }

    /// Shifts, since the instruction that extends a sign came with 6.6.
    fn sign_extend(&mut self, dst: Register, width: Width) {
        if width != Width::B8 {
            let bits = Value::Imm(64 - width.bits() as i32);
            self.push(Inst::Alu { op: Alu::Lsh, dst, value: bits });
            self.push(Inst::Alu { op: Alu::Arsh, dst, value: bits });
        }
    }

    /// `dst = 1; if a cmp b goto end; dst = 0; end:`
    fn set(&mut self, dst: Register, cmp: Cmp, a: Operand, b: Operand) {
        let (result, own) = (self.code.fresh(), [a, b].iter().all(|operand| self.differs(*operand, dst)));
        let result = if own { dst } else { result };
        let (zero, end) = (self.fresh_label(), self.fresh_label());
        self.push(Inst::Const { dst: result, value: 1 });
        self.branch(cmp, a, b, end, zero);
        self.start(zero);
        self.push(Inst::Const { dst: result, value: 0 });
        self.end(End::Jump(end));
        self.start(end);
        if result != dst {
            self.push(Inst::Move { dst, src: result });
        }
    }

    fn differs(&self, operand: Operand, register: Register) -> bool {
        operand.register().map(Self::own) != Some(register)
    }

    fn fresh_label(&mut self) -> Label {
        self.code.labels += 1;
        Label(self.code.labels - 1)
    }

    fn branch(&mut self, cmp: Cmp, a: Operand, b: Operand, then: Label, otherwise: Label) {
        let (cmp, a, b) = match (a, b) {
            (Operand::Imm(left), Operand::Imm(right)) => {
                return self.end(End::Jump(if cmp.eval(left, right) { then } else { otherwise }));
            }
            (Operand::Imm(_), Operand::Reg(register)) => (cmp.swapped(), register, a),
            (Operand::Reg(register), _) => (cmp, register, b),
        };
        let a = self.register(a);
        let b = self.value(b);
        self.end(End::Branch { op: jump(cmp), a, b, then, otherwise });
    }

    fn term(&mut self, term: &Term) {
        match *term {
            Term::Jump(target) => self.end(End::Jump(label(target))),
            Term::Branch { cmp, a, b, then, otherwise } => self.branch(cmp, a, b, label(then), label(otherwise)),
            Term::Exit(value) => {
                self.assign(Register::RESULT, value);
                self.end(End::Exit);
            }
        }
    }
}
