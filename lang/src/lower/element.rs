//! Elements of the script's maps: finding, adding, reading, changing them.
//!
//! Scalar maps are array maps: plain ones are addressed directly, per-CPU ones looked up. In keyed maps a missing element is added
//! with zeros and looked up again, so that a value is always added in place; a full map is counted as lost.

use bpf::helper::Helper;

use super::Lowerer;
use super::memory::{Fill, Place};
use super::resources::Lost;
use crate::hir::{Aggregate, Expr, Map};
use crate::ir::{Base, Cmp, MapRef, Operand, VReg, Width};
use crate::types::Ty;

/// `BPF_ANY`: add or replace.
pub(super) const ANY: i64 = 0;
/// `BPF_NOEXIST`: add only.
pub(super) const NOEXIST: i64 = 1;
/// The largest template of a new element that is made on the stack.
const MOST_ZEROS_ON_STACK: u32 = 64;

impl Lowerer<'_> {
    /// A key in working memory, as the map's key type.
    pub fn key(&mut self, map: Map, key: Option<&Expr>) -> VReg {
        let ty = self.map_info(map).key.clone();
        let (Some(key), Some(ty)) = (key, ty) else {
            let slot = self.temp(4);
            self.b.store(slot.base, slot.offset, Width::B4, 0);
            return self.address(slot);
        };
        let place = self.temp(ty.layout().size);
        self.write(key, place, &ty, Fill::Zeros);
        self.address(place)
    }

    /// The element of a map at a key's address, or null.
    pub fn lookup(&mut self, map: MapRef, key: VReg) -> VReg {
        let map = self.b.map_addr(map);
        self.b.call(Helper::MapLookupElem, &[map.into(), key.into()])
    }

    /// Runs `with` on the address of an element that is there, `without` where there is none.
    pub fn if_found(
        &mut self,
        map: MapRef,
        key: VReg,
        with: impl FnOnce(&mut Self, VReg),
        without: impl FnOnce(&mut Self),
    ) {
        let element = self.lookup(map, key);
        let (found, missing, done) = (self.b.new_block(), self.b.new_block(), self.b.new_block());
        self.b.branch(Cmp::Ne, element, 0, found, missing);
        self.b.switch_to(missing);
        without(self);
        self.b.jump(done);
        self.b.switch_to(found);
        with(self, element);
        self.b.jump(done);
        self.b.switch_to(done);
    }

    /// Runs `change` on the address of an element, which is added where it is missing.
    fn change(&mut self, map: Map, key: Option<&Expr>, change: impl FnOnce(&mut Self, VReg)) {
        let Some((bpf_map, layout)) = self.resources.map(map) else { return };
        let done = self.b.new_block();
        let element = match (&layout.key, layout.per_cpu()) {
            (None, false) => self.b.map_value_addr(bpf_map, 0),
            (None, true) => {
                let key = self.key(map, None);
                let element = self.lookup(bpf_map, key);
                self.b.branch_if(Cmp::Eq, element, 0, done);
                element
            }
            (Some(_), _) => self.find_or_add(map, bpf_map, key, layout.value_size, done),
        };
        change(self, element);
        if let Some(presence) = layout.presence() {
            self.b.store(element, presence, Width::B8, 1);
        }
        self.b.jump(done);
        self.b.switch_to(done);
    }

    fn find_or_add(
        &mut self,
        map: Map,
        bpf_map: MapRef,
        key: Option<&Expr>,
        value_size: u32,
        done: crate::ir::BlockId,
    ) -> VReg {
        self.expect_elements(map);
        let key = self.key(map, key);
        let element = self.b.vreg();
        let (missing, found, full) = (self.b.new_block(), self.b.new_block(), self.b.new_block());
        let first = self.lookup(bpf_map, key);
        self.b.assign(element, first);
        self.b.branch(Cmp::Ne, element, 0, found, missing);

        self.b.switch_to(missing);
        let zeros = self.zeros(value_size);
        self.update(bpf_map, key, zeros, NOEXIST);
        let second = self.lookup(bpf_map, key);
        self.b.assign(element, second);
        self.b.branch(Cmp::Ne, element, 0, found, full);

        self.b.switch_to(full);
        self.count_lost(Lost::Element);
        self.b.jump(done);
        self.b.switch_to(found);
        element
    }

    /// Notes that the program at hand adds elements to a map.
    fn expect_elements(&mut self, map: Map) {
        if !self.probe().sites.iter().all(|site| site.attach.allocates_at_will()) {
            self.resources.preallocate(map, self.unit.target.cpus);
        }
    }

    /// The address of so many zeros.
    fn zeros(&mut self, bytes: u32) -> VReg {
        if bytes <= MOST_ZEROS_ON_STACK {
            let place = self.temp(bytes);
            self.zero(place, bytes);
            return self.address(place);
        }
        let map = self.resources.zeros(bytes);
        self.b.map_value_addr(map, 0)
    }

    /// Adds or replaces an element, as `BPF_*` flags say; 0, or a negative error.
    pub(super) fn update(&mut self, map: MapRef, key: VReg, value: VReg, flags: i64) -> VReg {
        let map = self.b.map_addr(map);
        self.b.call(Helper::MapUpdateElem, &[map.into(), key.into(), value.into(), Operand::Imm(flags)])
    }

    /// `@x = count()` and its kin. The value is computed before the element is looked for.
    pub(super) fn aggregate(&mut self, map: Map, key: Option<&Expr>, aggregate: &Aggregate) {
        let value = aggregate.value.as_ref().map_or(Operand::Imm(0), |value| self.scalar(value));
        let Ty::Aggregate(kind) = self.map_info(map).value.clone() else { return };
        self.change(map, key, |lowerer, element| (aggregate.add)(lowerer, &kind, element, value));
    }

    /// `@x += value` for a plain integer.
    pub(super) fn add_to_map(&mut self, map: Map, key: Option<&Expr>, value: Operand) {
        self.change(map, key, |lowerer, element| {
            let value = match value {
                Operand::Reg(register) => register,
                constant => lowerer.b.copy(constant),
            };
            lowerer.b.atomic_add(element, 0, Width::B8, value);
        });
    }

    /// `@x = value`
    pub(super) fn set_map(&mut self, map: Map, key: Option<&Expr>, value: &Expr) {
        let Some((bpf_map, layout)) = self.resources.map(map) else { return };
        let ty = self.map_info(map).value.clone();
        if layout.key.is_none() {
            let scalar = ty.is_scalar().then(|| self.scalar(value));
            let element = self.b.map_value_addr(bpf_map, 0);
            match scalar {
                Some(scalar) => self.b.store(element, 0, Width::B8, scalar),
                None => self.write(value, element.into(), &ty, Fill::Zeros),
            }
            if let Some(presence) = layout.presence() {
                self.b.store(element, presence, Width::B8, 1);
            }
            return;
        }
        self.expect_elements(map);
        let value = self.value_to_store(value, &ty);
        let key = self.key(map, key);
        let failed = self.update(bpf_map, key, value, ANY);
        let (full, done) = (self.b.new_block(), self.b.new_block());
        self.b.branch(Cmp::Ne, failed, 0, full, done);
        self.b.switch_to(full);
        self.count_lost(Lost::Element);
        self.b.jump(done);
        self.b.switch_to(done);
    }

    /// The address of a value of type `ty`, padded to whole words.
    fn value_to_store(&mut self, value: &Expr, ty: &Ty) -> VReg {
        if ty.is_scalar() {
            let scalar = self.scalar(value);
            let place = self.temp(8);
            self.b.store(place.base, place.offset, Width::B8, scalar);
            return self.address(place);
        }
        let size = ty.layout().size;
        let place = self.temp(size);
        self.write(value, place, ty, Fill::Zeros);
        if !size.is_multiple_of(8) {
            self.zero(place.at(size), size.next_multiple_of(8) - size);
        }
        self.address(place)
    }

    /// A plain scalar value of a map; 0 where there is none.
    pub fn map_scalar(&mut self, map: Map, key: Option<&Expr>, ty: &Ty) -> Operand {
        let Some((bpf_map, layout)) = self.resources.map(map) else { return Operand::Imm(0) };
        if layout.key.is_none() {
            let element = self.b.map_value_addr(bpf_map, 0);
            return self.load(element.into(), ty).into();
        }
        let key = self.key(map, key);
        let value = self.b.copy(0);
        let with = |lowerer: &mut Self, element: VReg| {
            let loaded = lowerer.load(element.into(), ty);
            lowerer.b.assign(value, loaded);
        };
        self.if_found(bpf_map, key, with, Self::tell_missing);
        value.into()
    }

    /// Where a map's value in memory is; zeros where there is none.
    pub(super) fn map_place(&mut self, map: Map, key: Option<&Expr>) -> Place {
        let Some((bpf_map, layout)) = self.resources.map(map) else { return self.temp(8) };
        if layout.key.is_none() {
            return self.b.map_value_addr(bpf_map, 0).into();
        }
        let key = self.key(map, key);
        let place = self.b.vreg();
        let without = |lowerer: &mut Self| {
            lowerer.tell_missing();
            let zeros = lowerer.resources.zeros(layout.value_size);
            let zeros = lowerer.b.map_value_addr(zeros, 0);
            lowerer.b.assign(place, zeros);
        };
        self.if_found(bpf_map, key, |lowerer, element| lowerer.b.assign(place, element), without);
        Place { base: Base::Reg(place), offset: 0 }
    }

    /// Counts something that could not be kept.
    pub fn count_lost(&mut self, lost: Lost) {
        let map = self.resources.lost();
        let key = self.temp(4);
        self.b.store(key.base, key.offset, Width::B4, 0);
        let key = self.address(key);
        let counters = self.lookup(map, key);
        let (found, done) = (self.b.new_block(), self.b.new_block());
        self.b.branch(Cmp::Ne, counters, 0, found, done);
        self.b.switch_to(found);
        self.increase(counters, lost as i32 * 8, Operand::Imm(1));
        self.b.jump(done);
        self.b.switch_to(done);
    }

    /// Adds to a 64-bit word that only this CPU changes.
    pub fn increase(&mut self, base: VReg, offset: i32, value: Operand) {
        let old = self.b.load(base, offset, Width::B8, false);
        let new = self.b.add(old, value);
        self.b.store(base, offset, Width::B8, new);
    }
}
