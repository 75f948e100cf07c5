//! The stack of the process: from the registers it entered the kernel with, by frame pointers (x86-64).
//!
//! Most programs are compiled without frame pointers. What their register holds instead makes the kernel read anywhere, which mostly
//! faults and costs more than all else; here a frame has to be on the stack, so that such a stack ends without a read.

use bpf::helper::Helper;

use crate::compiled::Attach;
use crate::expand::Site;
use crate::ir::{BlockId, Cmp, Operand, VReg, Width};
use crate::lower::Lowerer;
use crate::target::Arch;

/// Where in a frame the caller's frame pointer is, and the return address.
const CALLER: i32 = 0;
const RETURN: i32 = 8;
/// Bytes of the two.
const FRAME: i64 = 16;
/// Bytes from a function's frame to its caller's, more than are believed: the default bound of a whole stack.
const FAR: i64 = 8 << 20;

/// Whether the kernel follows the stack by frame pointers alone. Since 6.11 it looks closer at the entries of functions, where
/// uprobes are.
pub(super) fn is_followed(arch: Arch, sites: &[Site]) -> bool {
    use Attach::{Function, Kprobe, Profile, RawTracepoint, Syscalls, Tracepoint};
    let by_frames = |site: &Site| {
        matches!(
            site.attach,
            RawTracepoint { .. } | Syscalls { .. } | Tracepoint { .. } | Kprobe { .. } | Function { .. } | Profile(_)
        )
    };
    arch == Arch::X86_64 && sites.iter().all(by_frames)
}

impl Lowerer<'_> {
    /// Mixes the return addresses of the process's stack into `hash`; at most `most`; to `unknown` where there are too many.
    pub(super) fn walk_process(&mut self, hash: VReg, most: u32, unknown: BlockId) {
        let registers = self.unit.target.arch.registers();
        let task = self.b.call(Helper::GetCurrentTaskBtf, &[]);
        let left = self.b.call(Helper::TaskPtRegs, &[task.into()]);
        let ip = self.b.load(left, registers.ip, Width::B8, false);
        let frame = self.b.load(left, registers.bp, Width::B8, false);
        self.mix(hash, ip);
        let place = self.temp(FRAME as u32);
        let below = self.b.load(left, registers.sp, Width::B8, false);
        let (below, frame, turns) = (self.b.copy(below), self.b.copy(frame), self.b.copy(0));
        let [turn, done] = [(); 2].map(|()| self.b.new_block());
        self.b.jump(turn);

        self.b.switch_to(turn);
        let distance = self.b.sub(frame, below);
        self.b.branch_if(Cmp::UGe, distance, FAR, done);
        let to = self.address(place);
        let failed = self.b.call(Helper::ProbeReadUser, &[to.into(), Operand::Imm(FRAME), frame.into()]);
        // As the kernel: where there is no frame, the stack ends.
        self.b.branch_if(Cmp::Ne, failed, 0, done);
        let address = self.b.load(place.base, place.offset + RETURN, Width::B8, false);
        self.mix(hash, address);
        let caller = self.b.load(place.base, place.offset + CALLER, Width::B8, false);
        self.b.assign(below, frame);
        self.b.assign(frame, caller);
        let after = self.b.add(turns, 1);
        self.b.assign(turns, after);
        let (most, after_all) = Self::bound(most - 1, done, unknown);
        self.b.branch(Cmp::ULt, turns, most, turn, after_all);
        self.b.switch_to(done);
    }
}
