//! What each pass is for, on the smallest function that shows it.

use bpf::helper::Helper;

use super::*;
use crate::ir::{Builder, Cmp, Op, Operand, Width};

/// The text of a function after all passes.
fn improved(build: impl FnOnce(&mut Builder)) -> String {
    let mut b = Builder::new();
    build(&mut b);
    let mut function = b.finish();
    improve(&mut function);
    function.to_string()
}

#[test]
fn constants_are_computed() {
    let text = improved(|b| {
        let six = b.add(2, 4);
        let product = b.mul(six, 7);
        let low = b.extend(product, Width::B1, true);
        b.exit(low);
    });
    assert_eq!(text, "bb0:\n    exit 42\n");
}

#[test]
fn powers_of_two_become_shifts_and_masks() {
    let text = improved(|b| {
        let random = b.call(Helper::GetPrandomU32, &[]);
        let bucket = b.bin(Op::UMod, random, 64);
        let scaled = b.mul(bucket, 8);
        b.exit(scaled);
    });
    assert_eq!(text, "bb0:\n    v0 = GetPrandomU32()\n    v1 = v0 & 63\n    v2 = v1 << 3\n    exit v2\n");
}

#[test]
fn a_comparison_that_is_only_branched_on_becomes_the_branch() {
    let text = improved(|b| {
        let random = b.call(Helper::GetPrandomU32, &[]);
        let less = b.set(Cmp::ULt, random, 10);
        let not = b.set(Cmp::Eq, less, 0);
        let (then, otherwise) = (b.new_block(), b.new_block());
        b.branch(Cmp::Ne, not, 0, then, otherwise);
        b.switch_to(then);
        b.exit(1);
        b.switch_to(otherwise);
        b.exit(2);
    });
    let expected = "\
bb0:
    v0 = GetPrandomU32()
    if v0 >= 10 goto bb1 else bb2
bb1:
    exit 1
bb2:
    exit 2
";
    assert_eq!(text, expected);
}

#[test]
fn a_flag_that_is_set_on_two_ways_and_tested_where_they_meet_is_not_needed() {
    let text = improved(|b| {
        let random = b.call(Helper::GetPrandomU32, &[]);
        let flag = b.vreg();
        let (set, clear, meet, yes, no) = (b.new_block(), b.new_block(), b.new_block(), b.new_block(), b.new_block());
        b.branch(Cmp::UGt, random, 5, set, clear);
        for (block, value) in [(set, 1), (clear, 0)] {
            b.switch_to(block);
            b.assign(flag, value);
            b.jump(meet);
        }
        b.switch_to(meet);
        b.branch(Cmp::Ne, flag, 0, yes, no);
        b.switch_to(yes);
        b.call_void(Helper::ThisCpuPtr, &[Operand::Imm(1)]);
        b.exit(1);
        b.switch_to(no);
        b.exit(0);
    });
    assert!(!text.contains("v1"), "{text}");
    assert_eq!(text.matches("if ").count(), 1, "{text}");
}

#[test]
fn a_call_whose_answer_stays_the_same_is_made_once() {
    let text = improved(|b| {
        let pid = b.call(Helper::GetCurrentPidTgid, &[]);
        let pid = b.lshr(pid, 32);
        let (then, otherwise) = (b.new_block(), b.new_block());
        b.branch(Cmp::Eq, pid, 7, then, otherwise);
        b.switch_to(then);
        let tid = b.call(Helper::GetCurrentPidTgid, &[]);
        let tid = b.extend(tid, Width::B4, false);
        b.exit(tid);
        b.switch_to(otherwise);
        b.exit(0);
    });
    assert_eq!(text.matches("GetCurrentPidTgid").count(), 1, "{text}");
}

#[test]
fn addresses_of_slots_become_accesses_to_slots() {
    let text = improved(|b| {
        let slot = b.slot(16);
        let start = b.slot_addr(slot, 0);
        let second = b.add(start, 8);
        b.store(second, 4, Width::B4, 5);
        let value = b.load(slot, 12, Width::B4, false);
        let same = b.extend(value, Width::B4, false);
        b.exit(same);
    });
    assert!(text.contains("u32[slot0 + 12] = 5"), "{text}");
    assert!(!text.contains('&'), "{text}");
}

#[test]
fn a_loop_keeps_what_it_changes_and_tests_it_at_its_end() {
    let text = improved(|b| {
        let (head, body, done) = (b.new_block(), b.new_block(), b.new_block());
        let count = b.copy(0);
        b.jump(head);
        b.switch_to(head);
        b.branch(Cmp::ULt, count, 10, body, done);
        b.switch_to(body);
        let next = b.add(count, 1);
        b.assign(count, next);
        b.jump(head);
        b.switch_to(done);
        b.exit(count);
    });
    let expected = "\
bb0:
    v0 = 0
    goto bb1
bb1:
    v1 = v0 + 1
    v0 = v1
    if v0 < 10 goto bb1 else bb2
bb2:
    exit v0
";
    assert_eq!(text, expected);
}

#[test]
fn zeros_that_are_overwritten_are_not_stored() {
    let text = improved(|b| {
        let key = b.slot(16);
        b.store_zeros(key, 0, 16);
        let pid = b.call(Helper::GetCurrentPidTgid, &[]);
        b.store(key, 0, Width::B8, pid);
        let random = b.call(Helper::GetPrandomU32, &[]);
        b.store(key, 8, Width::B4, random);
        let map = b.map_addr(crate::ir::MapRef(0));
        let address = b.slot_addr(key, 0);
        b.call_void(Helper::MapDeleteElem, &[map.into(), address.into()]);
        b.store(key, 0, Width::B8, 3);
        b.exit(0);
    });
    assert_eq!(text.matches("] = 0\n").count(), 0, "{text}");
    assert!(text.contains("u64[slot0 + 8] = v"), "{text}");
    assert!(!text.contains("] = 3"), "{text}");
}

#[test]
fn slots_that_are_used_one_after_the_other_share_their_place() {
    let mut b = Builder::new();
    for _ in 0..8 {
        let key = b.slot(96);
        b.store(key, 0, Width::B8, 1);
        let address = b.slot_addr(key, 0);
        b.call_void(Helper::MapDeleteElem, &[1.into(), address.into()]);
    }
    b.exit(0);
    let mut function = b.finish();
    improve(&mut function);
    assert_eq!(function.slots.len(), 1);
}

#[test]
fn slots_that_are_used_together_keep_their_own_places() {
    let mut b = Builder::new();
    let slots: Vec<_> = (0..4).map(|_| b.slot(96)).collect();
    for slot in &slots {
        b.store(*slot, 0, Width::B8, 1);
    }
    for slot in slots {
        let address = b.slot_addr(slot, 0);
        b.call_void(Helper::MapDeleteElem, &[1.into(), address.into()]);
    }
    b.exit(0);
    let mut function = b.finish();
    improve(&mut function);
    assert_eq!(function.slots.len(), 4);
}

#[test]
fn a_sign_that_is_not_stored_is_not_extended() {
    let text = improved(|b| {
        let context = b.context();
        let value = b.load(context, 8, Width::B4, true);
        let low = b.extend(value, Width::B8, true);
        let key = b.slot(8);
        b.store(key, 0, Width::B4, low);
        b.store(key, 4, Width::B4, 0);
        let address = b.slot_addr(key, 0);
        b.call_void(Helper::MapDeleteElem, &[1.into(), address.into()]);
        b.exit(0);
    });
    assert!(text.contains("v1 = u32[v0 + 8]"), "{text}");
    assert!(text.contains("u64[slot0 + 0] = v1"), "{text}");
}

/// A key on the stack that holds the thread, and its element.
fn element_of_thread(b: &mut Builder) -> crate::ir::VReg {
    let tid = b.call(Helper::GetCurrentPidTgid, &[]);
    let tid = b.extend(tid, Width::B4, false);
    let key = b.slot(8);
    b.store(key, 0, Width::B8, tid);
    let (map, key) = (b.map_addr(crate::ir::MapRef(0)), b.slot_addr(key, 0));
    b.call(Helper::MapLookupElem, &[map.into(), key.into()])
}

#[test]
fn an_element_of_predicate_and_body_is_looked_up_once() {
    let text = improved(|b| {
        let leave = b.new_block();
        let value = b.copy(0);
        let first = element_of_thread(b);
        let (found, join) = (b.new_block(), b.new_block());
        b.branch(Cmp::Ne, first, 0, found, join);
        b.switch_to(found);
        let loaded = b.load(first, 0, Width::B8, false);
        b.assign(value, loaded);
        b.jump(join);
        b.switch_to(join);
        b.branch_if(Cmp::Eq, value, 0, leave);
        b.call_void(Helper::KtimeGetNs, &[]);
        let second = element_of_thread(b);
        b.branch_if(Cmp::Eq, second, 0, leave);
        let again = b.load(second, 0, Width::B8, false);
        b.exit(again);
        b.switch_to(leave);
        b.exit(0);
    });
    assert_eq!(text.matches("MapLookupElem").count(), 1, "{text}");
    assert_eq!(text.matches("if ").count(), 2, "{text}");
}

#[test]
fn an_element_that_may_have_gone_is_looked_up_again() {
    let text = improved(|b| {
        let leave = b.new_block();
        let first = element_of_thread(b);
        b.branch_if(Cmp::Eq, first, 0, leave);
        let key = b.slot(8);
        b.store(key, 0, Width::B8, 1);
        let (map, key) = (b.map_addr(crate::ir::MapRef(0)), b.slot_addr(key, 0));
        b.call_void(Helper::MapDeleteElem, &[map.into(), key.into()]);
        let second = element_of_thread(b);
        b.branch_if(Cmp::Eq, second, 0, leave);
        b.exit(1);
        b.switch_to(leave);
        b.exit(0);
    });
    assert_eq!(text.matches("MapLookupElem").count(), 2, "{text}");
}
