//! What `kstack` and `ustack` have in common: how many frames, and where they are kept.

use bpf::helper::Helper;
use report::schema::{StackMode, StackType};

use crate::check::Checker;
use crate::hir::{Expr, StackMap};
use crate::ir::{Cmp, Operand, Width};
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

/// How many frames a stack of addresses has that was kept.
pub fn kept_frames(lowerer: &mut Lowerer<'_>, stack: &Expr, of: &StackType) -> Operand {
    let place = lowerer.place(stack);
    let map = lowerer.resources.stacks(of);
    let count = lowerer.b.copy(0);
    let [turn, more, next, done] = [(); 4].map(|()| lowerer.b.new_block());
    let key = lowerer.address(place);
    let kept = lowerer.lookup(map, key);
    lowerer.b.branch(Cmp::Eq, kept, 0, done, turn);
    lowerer.b.switch_to(turn);
    lowerer.b.branch(Cmp::UGe, count, i64::from(of.depth), done, more);
    lowerer.b.switch_to(more);
    let bytes = lowerer.b.shl(count, 3);
    let frame = lowerer.b.add(kept, bytes);
    let address = lowerer.b.load(frame, 0, Width::B8, false);
    lowerer.b.branch(Cmp::Eq, address, 0, done, next);
    lowerer.b.switch_to(next);
    let after = lowerer.b.add(count, 1);
    lowerer.b.assign(count, after);
    lowerer.b.jump(turn);
    lowerer.b.switch_to(done);
    count.into()
}
