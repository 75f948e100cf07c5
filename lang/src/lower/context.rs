//! What a program does with its context before the body runs, and words of it that need more than a load.

use std::rc::Rc;

use bpf::helper::Helper;

use super::Lowerer;
use crate::compiled::Attach;
use crate::expand::Context;
use crate::ir::{Cmp, Operand, VReg, Width};
use crate::types::{Space, U32, U64};

/// Bytes in which the names of these system calls' attach points are kept, with a NUL at least.
pub fn name_bytes(calls: &[(u32, Rc<str>)]) -> u32 {
    let longest = calls.iter().map(|(_, name)| name.len()).max().unwrap_or(0);
    (longest as u32 + 1).next_multiple_of(8)
}

impl Lowerer<'_> {
    /// Timers do nothing any more once the script has ended itself. Other probes count on until they are detached, as they do in
    /// bpftrace, and are not slowed down for it.
    pub(super) fn filter_ended(&mut self) {
        let is_timer = |site: &crate::expand::Site| matches!(site.attach, Attach::Interval { .. });
        if !self.unit.program.exits || !self.probe.sites.iter().all(is_timer) {
            return;
        }
        let map = self.resources.ended();
        let address = self.b.map_value_addr(map, 0);
        let ended = self.b.load(address, 0, Width::B8, false);
        let leave = self.leave;
        self.b.branch_if(Cmp::Ne, ended, 0, leave);
    }

    /// Ends the script: see [`Self::filter_ended`].
    pub fn end_script(&mut self) {
        let map = self.resources.ended();
        let address = self.b.map_value_addr(map, 0);
        self.b.store(address, 0, Width::B8, 1);
    }

    /// Leaves the program where what happened is not what the probe is about.
    pub(super) fn filter_context(&mut self) {
        let Some(site) = self.probe.sites.first() else { return };
        match site.context.clone() {
            Context::Syscalls { exit, calls } => self.filter_syscall(exit, &calls),
            Context::Iter { record } => self.filter_end(&record),
            _ => {}
        }
    }

    /// The system call must be one of those that were asked for, made by code of the node's own instruction set: others number them
    /// differently, and the tracepoints of single calls leave them out too.
    fn filter_syscall(&mut self, exit: bool, calls: &[(u32, Rc<str>)]) {
        let leave = self.leave;
        let registers = self.unit.target.arch.registers();
        let context = self.b.context();
        let saved = self.b.load(context, 0, Width::B8, false);
        let number = match exit {
            false => self.b.load(context, 8, Width::B8, false),
            true => {
                let address = self.b.add(saved, i64::from(registers.syscall_number));
                self.read_scalar(address.into(), &U32, Space::Kernel, None)
            }
        };
        let table = self.resources.syscalls(calls, name_bytes(calls));
        let key = self.b.slot(8);
        self.b.store(key, 0, Width::B4, number);
        let (map, key) = (self.b.map_addr(table), self.b.slot_addr(key, 0));
        let name = self.b.call(Helper::MapLookupElem, &[map.into(), key.into()]);
        self.b.branch_if(Cmp::Eq, name, 0, leave);
        let first = self.b.load(name, 0, Width::B1, false);
        self.b.branch_if(Cmp::Eq, first, 0, leave);
        self.called = Some(name);
        if self.unit.target.features.compat_syscalls {
            let native = registers.native;
            let address = self.b.add(saved, i64::from(native.offset));
            let value = self.read_scalar(address.into(), &U64, Space::Kernel, None);
            let bits = self.b.and(value, native.mask);
            self.b.branch_if(Cmp::Ne, bits, native.user, leave);
        }
    }

    /// An iterator runs its program once more at the end, with nothing.
    fn filter_end(&mut self, record: &str) {
        let task = self.unit.target.btf.as_deref().and_then(|btf| btf.member(btf.find_struct(record)?, "task"));
        let Some(offset) = task.and_then(|task| i32::try_from(task.offset()).ok()) else { return };
        let context = self.b.context();
        let task = self.b.load(context, offset, Width::B8, false);
        let leave = self.leave;
        self.b.branch_if(Cmp::Eq, task, 0, leave);
    }

    /// The address of the name of the attach point that fired, in a program for many system calls.
    pub fn called(&self) -> Option<VReg> {
        self.called
    }

    /// A word of the context as a plain number, also where the verifier knows it to be a pointer of a certain type: what an atomic
    /// operation has touched on the stack has no type.
    pub fn plain_word(&mut self, offset: i32) -> Operand {
        let context = self.b.context();
        let word = self.b.load(context, offset, Width::B8, false);
        let slot = self.b.slot(8);
        self.b.store(slot, 0, Width::B8, word);
        let zero = self.b.copy(0);
        self.b.atomic_add(slot, 0, Width::B8, zero);
        self.b.load(slot, 0, Width::B8, false).into()
    }
}
