//! The back end against direct evaluation: random functions of the low-level form are interpreted, compiled, and run; results,
//! helper calls and memory must agree.

#[path = "../arithmetic/mod.rs"]
mod arithmetic;
mod interpreter;
mod machine;
mod random;
mod world;

use bpf::helper::Helper;
use bpf::opcode::{self, Jump};
use lang::emit::{EmitError, Emitted, emit};
use lang::ir::{Function, verify::verify};
use lang::passes::improve;
use proptest::prelude::*;

use world::{Outcome, scalar_result};

/// What the function does when it is interpreted.
fn interpreted(function: &Function) -> Outcome {
    interpreter::run(function)
}

/// What the function does when it is compiled and run; `None` where it needs more stack than there is.
fn compiled(function: &Function) -> Option<(Emitted, Outcome)> {
    let emitted = match emit(std::slice::from_ref(function)) {
        Ok(emitted) => emitted,
        Err(EmitError::Stack { .. }) => return None,
        Err(error) => panic!("{error}\n{function}"),
    };
    assert_eq!(emitted.insns.len(), emitted.spans.len());
    bpf::check::check(&emitted.insns).unwrap_or_else(|error| panic!("{error}\n{}", listing(&emitted)));
    let outcome = machine::run(&emitted);
    Some((emitted, outcome))
}

fn listing(emitted: &Emitted) -> String {
    bpf::disasm::disassemble(&emitted.insns)
}

proptest! {
    #[test]
    fn emitted_code_does_what_the_function_says(choices in prop::collection::vec(any::<u8>(), 1..900)) {
        let function = random::function(&choices, random::Calls::Any);
        verify(&function).unwrap();
        let Some((emitted, outcome)) = compiled(&function) else { return Ok(()) };
        prop_assert_eq!(interpreted(&function), outcome, "{}\n{}", function, listing(&emitted));
    }

    #[test]
    fn improved_code_does_what_the_function_said(choices in prop::collection::vec(any::<u8>(), 1..900)) {
        let function = random::function(&choices, random::Calls::Any);
        let mut improved = function.clone();
        improve(&mut improved);
        verify(&improved).unwrap();
        prop_assert_eq!(interpreted(&function), interpreted(&improved), "{}\nimproved\n{}", function, improved);
        let Some((emitted, outcome)) = compiled(&improved) else { return Ok(()) };
        prop_assert_eq!(interpreted(&function), outcome, "{}\n{}", improved, listing(&emitted));
    }

    #[test]
    fn another_machine_agrees(choices in prop::collection::vec(any::<u8>(), 1..500)) {
        let mut function = random::function(&choices, random::Calls::Scalar);
        improve(&mut function);
        let Some((emitted, outcome)) = compiled(&function) else { return Ok(()) };
        prop_assume!(other_machine_can(&emitted));
        prop_assert_eq!(run_on_other_machine(&emitted), outcome.result, "{}\n{}", function, listing(&emitted));
    }
}

/// rbpf compares with negative constants as if they were positive, and knows no atomic additions.
fn other_machine_can(emitted: &Emitted) -> bool {
    emitted.insns.iter().all(|insn| {
        let compares = insn.code & opcode::CLASS_MASK == opcode::JMP
            && insn.code & opcode::FROM_REG == 0
            && Jump::of(insn.code).is_some_and(Jump::is_conditional);
        let atomic = insn.code & opcode::CLASS_MASK == opcode::STX && insn.code & opcode::MODE_MASK == opcode::ATOMIC;
        !(compares && insn.imm < 0 || atomic)
    })
}

fn run_on_other_machine(emitted: &Emitted) -> u64 {
    let bytes = bpf::insn::encode(&emitted.insns);
    let mut vm = rbpf::EbpfVmRaw::new(None).unwrap();
    vm.set_verifier(|_| Ok(())).unwrap();
    vm.set_program(&bytes).unwrap();
    vm.register_helper(Helper::GetCurrentPidTgid as u32, |_, _, _, _, _| scalar_result(Helper::GetCurrentPidTgid, &[]))
        .unwrap();
    vm.register_helper(Helper::KtimeGetNs as u32, |_, _, _, _, _| scalar_result(Helper::KtimeGetNs, &[])).unwrap();
    vm.register_helper(Helper::SendSignal as u32, |a, _, _, _, _| scalar_result(Helper::SendSignal, &[a])).unwrap();
    vm.register_helper(Helper::RingbufOutput as u32, |a, b, c, d, _| {
        scalar_result(Helper::RingbufOutput, &[a, b, c, d])
    })
    .unwrap();
    let mut context = world::context();
    vm.execute_program(&mut context).unwrap()
}

#[test]
fn more_values_than_registers_survive_calls() {
    let mut b = lang::ir::Builder::new();
    let values: Vec<_> = (0..20).map(|number| b.call(Helper::SendSignal, &[lang::ir::Operand::Imm(number)])).collect();
    let mut sum = b.copy(0);
    for value in values {
        let doubled = b.mul(sum, 2);
        sum = b.add(doubled, value);
        b.call_void(Helper::SendSignal, &[sum.into()]);
    }
    b.exit(sum);
    let function = b.finish();
    let (emitted, outcome) = compiled(&function).unwrap();
    assert_eq!(interpreted(&function), outcome);
    let spilled = listing(&emitted).matches("(r10").count();
    assert!(spilled >= 2 * (20 - 4), "{spilled} accesses to the stack");
    assert_eq!(run_on_other_machine(&emitted), outcome.result);
}
