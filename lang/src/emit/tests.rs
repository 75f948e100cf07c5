//! Small functions and the listings they become.

use bpf::disasm::disassemble;
use bpf::helper::Helper;

use super::*;
use crate::ir::{Builder, Cmp, MapRef, Op, Width};

fn listing(build: impl FnOnce(&mut Builder)) -> String {
    let mut b = Builder::new();
    build(&mut b);
    disassemble(&emit(&[b.finish()]).unwrap().insns)
}

#[test]
fn a_counter_in_a_map_takes_no_move_too_many() {
    let text = listing(|b| {
        let slot = b.slot(4);
        b.store(slot, 0, Width::B4, 0);
        let (map, key) = (b.map_addr(MapRef(0)), b.slot_addr(slot, 0));
        let value = b.call(Helper::MapLookupElem, &[map.into(), key.into()]);
        let (found, done) = (b.new_block(), b.new_block());
        b.branch(Cmp::Eq, value, 0, done, found);
        b.switch_to(found);
        let count = b.load(value, 0, Width::B8, false);
        let count = b.add(count, 1);
        b.store(value, 0, Width::B8, count);
        b.jump(done);
        b.switch_to(done);
        b.exit(0);
    });
    let expected = "\
*(u32 *)(r10 - 8) = 0
r1 = map[0]
r2 = r10
r2 += -8
call map_lookup_elem#1
if r0 == 0 goto +3
r5 = *(u64 *)(r0 + 0)
r5 += 1
*(u64 *)(r0 + 0) = r5
r0 = 0
exit
";
    assert_eq!(text, expected);
}

#[test]
fn a_slot_too_large_is_named_with_its_place() {
    let mut b = Builder::new();
    b.slot(500);
    let large = b.slot(504);
    b.set_span(Span { start: 3, end: 9 });
    b.store(large, 0, Width::B8, 1);
    b.exit(0);
    let error = emit(&[b.finish()]).unwrap_err();
    assert_eq!(error, EmitError::Stack { bytes: 1008, slot: large, slot_bytes: 504, span: Span { start: 3, end: 9 } });
}

#[test]
fn a_function_that_breaks_a_rule_is_refused() {
    let mut b = Builder::new();
    let value = b.vreg();
    b.exit(value);
    assert!(matches!(emit(&[b.finish()]), Err(EmitError::Broken(_))));
}

#[test]
fn a_comparison_becomes_a_branch_around_a_constant() {
    let text = listing(|b| {
        let random = b.call(Helper::GetPrandomU32, &[]);
        let odd = b.bin(Op::And, random, 1);
        let result = b.set(Cmp::Ne, odd, 0);
        b.exit(result);
    });
    assert_eq!(text, "call get_prandom_u32#7\nr0 &= 1\nr5 = 1\nif r0 != 0 goto +1\nr5 = 0\nr0 = r5\nexit\n");
}
