//! What `kstack` and `ustack` have in common: how many frames, and where they are kept.

use bpf::helper::Helper;
use report::schema::{StackMode, StackType};

use crate::check::Checker;
use crate::hir::StackMap;
use crate::ir::{Cmp, Operand};
use crate::lower::{Lost, Lowerer};

/// The most frames of a stack, kept where the script does not say (`PERF_MAX_STACK_DEPTH`).
pub const MOST_FRAMES: u16 = 127;
/// `BPF_F_USER_STACK`.
pub const USER: i64 = 1 << 8;
/// `EEXIST`: another stack has the same hash.
const TAKEN: i64 = -17;

/// A stack of so many frames.
pub fn stack_type(checker: &mut Checker<'_>, depth: u16, mode: StackMode) -> StackType {
    let build_ids = mode == StackMode::BuildId;
    StackType { map: checker.stack_map(StackMap { depth, build_ids }), mode, depth }
}

/// Takes the stack at hand: its number, or a negative error.
pub fn take(lowerer: &mut Lowerer<'_>, stack: &StackType, flags: i64) -> Operand {
    // The same addresses stand for other files in other processes.
    match lowerer.unwinding(flags == USER).filter(|_| stack.mode != StackMode::BuildId) {
        Some(way) => lowerer.known_stack(way, stack.map, |lowerer| ask(lowerer, stack, flags)),
        None => ask(lowerer, stack, flags),
    }
}

/// Has the kernel walk the stack.
fn ask(lowerer: &mut Lowerer<'_>, stack: &StackType, flags: i64) -> Operand {
    let map = lowerer.resources.stacks(stack);
    let (map, context) = (lowerer.b.map_addr(map), lowerer.b.context());
    let id = lowerer.b.call(Helper::GetStackid, &[context.into(), map.into(), Operand::Imm(flags)]);
    let (lost, done) = (lowerer.b.new_block(), lowerer.b.new_block());
    lowerer.b.branch(Cmp::Eq, id, TAKEN, lost, done);
    lowerer.b.switch_to(lost);
    lowerer.count_lost(Lost::Stack);
    lowerer.b.jump(done);
    lowerer.b.switch_to(done);
    id.into()
}

/// How many frames the stack at hand has, at most `depth`.
pub fn frames(lowerer: &mut Lowerer<'_>, depth: u16, user: bool) -> Operand {
    let bytes = u32::from(depth) * 8;
    let place = lowerer.temp(bytes);
    let (context, to) = (lowerer.b.context(), lowerer.address(place));
    let flags = if user { USER } else { 0 };
    let args = [context.into(), to.into(), Operand::Imm(i64::from(bytes)), Operand::Imm(flags)];
    let written = lowerer.b.call(Helper::GetStack, &args);
    let done = lowerer.b.new_block();
    lowerer.b.branch_if(Cmp::SGe, written, 0, done);
    lowerer.b.assign(written, 0);
    lowerer.b.jump(done);
    lowerer.b.switch_to(done);
    lowerer.b.lshr(written, 3).into()
}
