//! Reading an aggregate: a loop over the CPUs that puts their parts together.

use bpf::helper::Helper;
use report::schema::ValueKind;

use super::Lowerer;
use crate::hir::{Expr, Map};
use crate::ir::{Cmp, Op, Operand, VReg, Width};

/// What is known of the CPUs so far: a value, and how many stand behind it.
#[derive(Clone, Copy)]
struct Parts {
    value: VReg,
    count: VReg,
}

impl Lowerer<'_> {
    /// What a map holds for a key, over all CPUs; 0 where it holds nothing.
    pub fn total(&mut self, map: Map, key: Option<&Expr>, kind: &ValueKind) -> Operand {
        let Some((bpf_map, _)) = self.resources.map(map) else { return Operand::Imm(0) };
        let key = self.key(map, key);
        let parts = Parts { value: self.b.copy(0), count: self.b.copy(0) };
        let cpu = self.b.copy(0);
        let (test, inside, next, done) =
            (self.b.new_block(), self.b.new_block(), self.b.new_block(), self.b.new_block());
        self.b.jump(test);
        self.b.switch_to(test);
        let cpus = i64::from(self.unit.target.cpus.max(1));
        self.b.branch(Cmp::ULt, cpu, cpus, inside, done);

        self.b.switch_to(inside);
        let map = self.b.map_addr(bpf_map);
        let element = self.b.call(Helper::MapLookupPercpuElem, &[map.into(), key.into(), cpu.into()]);
        self.b.branch_if(Cmp::Eq, element, 0, next);
        self.add_part(element, parts, kind);
        self.b.jump(next);

        self.b.switch_to(next);
        let following = self.b.add(cpu, 1);
        self.b.assign(cpu, following);
        self.b.jump(test);
        self.b.switch_to(done);
        match kind {
            ValueKind::Avg { signed } => self.average(parts, *signed),
            _ => parts.value.into(),
        }
    }

    fn add_part(&mut self, element: VReg, parts: Parts, kind: &ValueKind) {
        let part = self.b.load(element, 0, Width::B8, false);
        match kind {
            ValueKind::Min { signed } => {
                self.add_extreme(element, part, parts, if *signed { Cmp::SLe } else { Cmp::ULe })
            }
            ValueKind::Max { signed } => {
                self.add_extreme(element, part, parts, if *signed { Cmp::SGe } else { Cmp::UGe })
            }
            _ => {
                let sum = self.b.add(parts.value, part);
                self.b.assign(parts.value, sum);
                if let ValueKind::Avg { .. } = kind {
                    let count = self.b.load(element, 8, Width::B8, false);
                    let count = self.b.add(parts.count, count);
                    self.b.assign(parts.count, count);
                }
            }
        }
    }

    fn add_extreme(&mut self, element: VReg, part: VReg, parts: Parts, keeps: Cmp) {
        let (is_set, compare, replace, done) =
            (self.b.new_block(), self.b.new_block(), self.b.new_block(), self.b.new_block());
        let set = self.b.load(element, 8, Width::B8, false);
        self.b.branch(Cmp::Ne, set, 0, is_set, done);
        self.b.switch_to(is_set);
        self.b.branch(Cmp::Eq, parts.count, 0, replace, compare);
        self.b.switch_to(compare);
        self.b.branch(keeps, parts.value, part, done, replace);
        self.b.switch_to(replace);
        self.b.assign(parts.value, part);
        self.b.assign(parts.count, 1);
        self.b.jump(done);
        self.b.switch_to(done);
    }

    fn average(&mut self, parts: Parts, signed: bool) -> Operand {
        let average = self.b.copy(0);
        let (some, none) = (self.b.new_block(), self.b.new_block());
        self.b.branch(Cmp::Ne, parts.count, 0, some, none);
        self.b.switch_to(some);
        // The count has just been compared with zero: no warning is to be made for it.
        let quotient = self.quotient(Op::UDiv, signed, parts.value.into(), parts.count.into());
        self.b.assign(average, quotient);
        self.b.jump(none);
        self.b.switch_to(none);
        average.into()
    }
}
