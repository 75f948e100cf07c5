//! What `kstack` and `ustack` have in common: how many frames, and where they are kept.

use bpf::helper::Helper;
use report::schema::{StackMode, StackType};

use crate::check::Checker;
use crate::hir::StackMap;
use crate::ir::{Cmp, Operand};
use crate::lower::Lowerer;

/// The most frames of a stack, kept where the script does not say (`PERF_MAX_STACK_DEPTH`).
pub const MOST_FRAMES: u16 = 127;
/// `BPF_F_USER_STACK`.
pub const USER: i64 = 1 << 8;

/// A stack of so many frames.
pub fn stack_type(checker: &mut Checker<'_>, depth: u16, mode: StackMode) -> StackType {
    let build_ids = mode == StackMode::BuildId;
    StackType { map: checker.stack_map(StackMap { depth, build_ids }), mode, depth }
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
