//! The last step: labels become distances, instructions their codes.

use bpf::insn::{Imm64, Insn, Reg, Source};
use bpf::opcode::{Alu, Jump};

use super::EmitError;
use super::frame::{Frame, frame};
use super::machine::{Block, Code, End, Inst, Label, Place, Value};
use crate::compiled::Relocation;
use crate::ir::{FunctionId, SlotId};
use crate::span::Span;

/// One function's instructions, to be joined with those of the others.
#[derive(Debug, Default)]
pub(super) struct Encoded {
    pub insns: Vec<Insn>,
    pub relocations: Vec<Relocation>,
    pub spans: Vec<Span>,
    /// Where addresses of functions go.
    pub functions: Vec<(usize, FunctionId)>,
    /// Bytes of stack, and the slot that takes most of them.
    pub frame: Frame,
}

/// The instructions of code whose registers are all the machine's.
pub(super) fn encode(code: &Code) -> Result<Encoded, EmitError> {
    let (places, frame) = frame(code)?;
    let mut encoder = Encoder { frame: places, out: Encoded { frame, ..Encoded::default() }, jumps: Vec::new() };
    let mut starts = vec![0; code.labels as usize];
    for (index, block) in code.blocks.iter().enumerate() {
        if let Some(start) = starts.get_mut(block.label.0 as usize) {
            *start = encoder.out.insns.len();
        }
        for (inst, span) in &block.insts {
            encoder.inst(inst, *span);
        }
        encoder.end(block, code.blocks.get(index + 1).map(|next| next.label));
    }
    encoder.patch(&starts)?;
    Ok(encoder.out)
}

struct Encoder {
    frame: Vec<i32>,
    out: Encoded,
    /// Instructions whose offset is the distance to a label.
    jumps: Vec<(usize, Label)>,
}

impl Encoder {
    fn push(&mut self, insn: Insn, span: Span) {
        self.out.insns.push(insn);
        self.out.spans.push(span);
    }

    fn wide(&mut self, insns: [Insn; 2], span: Span) {
        insns.into_iter().for_each(|insn| self.push(insn, span));
    }

    fn slot(&self, slot: SlotId) -> i32 {
        self.frame.get(slot.0 as usize).copied().unwrap_or_default()
    }

    /// Base register and offset. Offsets fit: selection saw to those from registers, the stack is small.
    fn place(&self, place: Place, offset: i32) -> (Reg, i16) {
        match place {
            Place::Reg(register) => (register.machine(), offset as i16),
            Place::Slot(slot) => (Reg::FRAME, (self.slot(slot) + offset) as i16),
        }
    }

    fn inst(&mut self, inst: &Inst, span: Span) {
        match *inst {
            Inst::Move { dst, src } => self.push(Insn::mov(dst.machine(), src.machine()), span),
            Inst::MoveLow { dst, src } => self.push(Insn::alu32(Alu::Mov, dst.machine(), src.machine()), span),
            Inst::Const { dst, value } => self.constant(dst.machine(), value, span),
            Inst::Map { dst, map, value_offset } => {
                self.out.relocations.push(Relocation { insn: self.out.insns.len(), map, value_offset });
                let value = value_offset.map_or(Imm64::Map(0), |offset| Imm64::MapValue(0, offset));
                self.wide(Insn::load_imm64(dst.machine(), value), span);
            }
            Inst::Function { dst, function } => {
                self.out.functions.push((self.out.insns.len(), function));
                self.wide(Insn::load_imm64(dst.machine(), Imm64::Function(0)), span);
            }
            Inst::Frame { dst, slot, offset } => {
                self.push(Insn::mov(dst.machine(), Reg::FRAME), span);
                self.push(Insn::alu64(Alu::Add, dst.machine(), self.slot(slot) + offset), span);
            }
            Inst::Alu { op, dst, value } => self.push(Insn::alu64(op, dst.machine(), source(value)), span),
            Inst::Swap { dst, size } => self.push(Insn::to_big_endian(dst.machine(), size), span),
            Inst::Load { dst, place, offset, size } => {
                let (base, offset) = self.place(place, offset);
                self.push(Insn::load(size, dst.machine(), base, offset), span);
            }
            Inst::Store { place, offset, size, value } => {
                let (base, offset) = self.place(place, offset);
                self.push(Insn::store(size, base, offset, source(value)), span);
            }
            Inst::AtomicAdd { place, offset, size, value } => {
                let (base, offset) = self.place(place, offset);
                self.push(Insn::atomic_add(size, base, offset, value.machine()), span);
            }
            Inst::Call { helper } => self.push(Insn::call(helper), span),
            Inst::CallKernel { function, .. } => self.push(Insn::call_kernel(function), span),
        }
    }

    fn constant(&mut self, dst: Reg, value: i64, span: Span) {
        match (i32::try_from(value), u32::try_from(value)) {
            (Ok(value), _) => self.push(Insn::mov(dst, value), span),
            (_, Ok(value)) => self.push(Insn::alu32(Alu::Mov, dst, value as i32), span),
            _ => self.wide(Insn::load_imm64(dst, Imm64::Value(value as u64)), span),
        }
    }

    fn end(&mut self, block: &Block, next: Option<Label>) {
        let span = block.end_span;
        match block.end {
            End::Exit => self.push(Insn::exit(), span),
            End::Jump(target) => self.jump_unless_next(target, next, span),
            End::Branch { op, a, b, then, otherwise } => {
                let (op, taken, other) =
                    if Some(then) == next { (inverse(op), otherwise, then) } else { (op, then, otherwise) };
                self.jumps.push((self.out.insns.len(), taken));
                self.push(Insn::jump_if(op, a.machine(), source(b), 0), span);
                self.jump_unless_next(other, next, span);
            }
        }
    }

    fn jump_unless_next(&mut self, target: Label, next: Option<Label>, span: Span) {
        if Some(target) != next {
            self.jumps.push((self.out.insns.len(), target));
            self.push(Insn::jump(0), span);
        }
    }

    fn patch(&mut self, starts: &[usize]) -> Result<(), EmitError> {
        for (at, target) in &self.jumps {
            let start = starts.get(target.0 as usize).copied().unwrap_or_default();
            let distance = start as i64 - *at as i64 - 1;
            let span = self.out.spans.get(*at).copied().unwrap_or_default();
            let offset = i16::try_from(distance).map_err(|_| EmitError::TooFar { span })?;
            if let Some(insn) = self.out.insns.get_mut(*at) {
                insn.off = offset;
            }
        }
        Ok(())
    }
}

fn source(value: Value) -> Source {
    match value {
        Value::Reg(register) => Source::Reg(register.machine()),
        Value::Imm(value) => Source::Imm(value),
    }
}

fn inverse(op: Jump) -> Jump {
    match op {
        Jump::Eq => Jump::Ne,
        Jump::Ne => Jump::Eq,
        Jump::Gt => Jump::Le,
        Jump::Ge => Jump::Lt,
        Jump::Lt => Jump::Ge,
        Jump::Le => Jump::Gt,
        Jump::SGt => Jump::SLe,
        Jump::SGe => Jump::SLt,
        Jump::SLt => Jump::SGe,
        Jump::SLe => Jump::SGt,
        // Selection makes none of these conditional.
        Jump::Always | Jump::Set | Jump::Call | Jump::Exit => op,
    }
}
