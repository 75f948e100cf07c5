//! The current task: its ids and its name, read straight from it where the kernel allows and its types say where they are.

use bpf::btf::Type;
use bpf::helper::Helper;

use super::Lowerer;
use super::memory::Place;
use crate::ir::{Operand, VReg, Width};
use crate::target::PidNamespace;

/// Bytes of a task's name, as `TASK_COMM_LEN` of the kernel.
pub const COMM_BYTES: u32 = 16;

impl Lowerer<'_> {
    /// The thread group's id, which user space calls the process's.
    pub fn process_id(&mut self) -> Operand {
        match self.unit.target.pid_namespace {
            Some(namespace) => self.id_in(namespace, 4),
            None => self.process_id_on_node(),
        }
    }

    /// The thread group's id in the node's first pid namespace.
    pub fn process_id_on_node(&mut self) -> Operand {
        let both = self.b.call(Helper::GetCurrentPidTgid, &[]);
        self.b.lshr(both, 32).into()
    }

    /// One of the task's ids in a namespace, by its place in what the helper writes; 0 where the task is not in it.
    fn id_in(&mut self, namespace: PidNamespace, offset: i32) -> Operand {
        let ids = self.temp(8);
        self.zero(ids, 8);
        let address = self.address(ids);
        let of = [namespace.device, namespace.inode].map(|word| Operand::Imm(word.cast_signed()));
        let [device, inode] = of;
        self.b.call_void(Helper::GetNsCurrentPidTgid, &[device, inode, address.into(), Operand::Imm(8)]);
        self.b.load(ids.base, ids.offset + offset, Width::B4, false).into()
    }

    /// The thread's id.
    pub fn thread_id(&mut self) -> Operand {
        match self.unit.target.pid_namespace {
            Some(namespace) => self.id_in(namespace, 0),
            None => self.thread_id_on_node(),
        }
    }

    /// The thread's id in the node's first pid namespace.
    pub fn thread_id_on_node(&mut self) -> Operand {
        let both = self.b.call(Helper::GetCurrentPidTgid, &[]);
        self.b.extend(both, Width::B4, false).into()
    }

    /// Writes the task's name, filled up with NULs.
    pub fn write_comm(&mut self, to: Place) {
        match self.comm_offset() {
            Some(offset) => {
                let task = self.b.call(Helper::GetCurrentTaskBtf, &[]);
                self.copy_comm(task, offset, to);
            }
            None => {
                let to = self.address(to);
                let size = Operand::Imm(i64::from(COMM_BYTES));
                self.b.call_void(Helper::GetCurrentComm, &[to.into(), size]);
            }
        }
    }

    /// Writes the name of a task that the verifier knows as one, filled up with NULs.
    pub fn write_comm_of(&mut self, task: VReg, to: Place) {
        match self.comm_offset() {
            Some(offset) => self.copy_comm(task, offset, to),
            // No kernel that hands out tasks is so old or says so little of them.
            None => self.zero(to, COMM_BYTES),
        }
    }

    fn copy_comm(&mut self, task: VReg, offset: i32, to: Place) {
        for at in [0, 8] {
            let word = self.b.load(task, offset + at, Width::B8, false);
            self.b.store(to.base, to.offset + at, Width::B8, word);
        }
    }

    /// Where a task keeps its name. Kernels before 5.17 leave rests of a former name behind its NUL, so that the helper must
    /// be asked; `bpf_loop` came with the same release.
    fn comm_offset(&self) -> Option<i32> {
        let target = self.unit.target;
        if !(target.features.task_btf && target.features.bpf_loop) {
            return None;
        }
        let btf = target.btf.as_deref()?;
        let comm = btf.member(btf.find_struct("task_struct")?, "comm")?;
        let sized = matches!(btf.ty(btf.resolve(comm.ty)), Some(Type::Array { len: COMM_BYTES, .. }));
        let offset = i32::try_from(comm.offset()).ok()?;
        (sized && offset % 8 == 0).then_some(offset)
    }

    /// When the session started, in nanoseconds since boot.
    pub fn start_time(&mut self) -> VReg {
        let map = self.resources.start();
        let address = self.b.map_value_addr(map, 0);
        self.b.load(address, 0, Width::B8, false)
    }

    /// The wall-clock time, in nanoseconds since 1970: as the node's clock stood when the session started, and counted on from there.
    pub fn wall_clock(&mut self) -> VReg {
        let map = self.resources.start();
        let address = self.b.map_value_addr(map, 0);
        let boot = self.b.load(address, 8, Width::B8, false);
        let now = self.b.call(Helper::KtimeGetBootNs, &[]);
        self.b.add(boot, now)
    }

    /// The address of the task, for the probe's kernel memory reads.
    pub fn task(&mut self) -> VReg {
        self.b.call(Helper::GetCurrentTask, &[])
    }
}
