//! Several functions in a row: where each starts, what their calls back take, and whether they fit the stack together.

use super::encode::Encoded;
use super::frame::STACK_BYTES;
use super::{EmitError, Emitted};
use crate::compiled::Relocation;

/// The kernel counts each function's part of the stack in pieces of this many bytes.
const PIECE: u32 = 32;

/// Joins functions; the first is where the program starts. A function only takes the address of those with other numbers, and
/// never leads back to itself: lowering makes each function for one loop. Those that nothing leads to any more, because their loops turned out
/// never to run, are left out: the kernel would not take them for functions.
pub(super) fn link(functions: Vec<Encoded>) -> Result<Emitted, EmitError> {
    fits(&functions)?;
    let reached = reached(&functions);
    let mut starts = Vec::with_capacity(functions.len());
    let mut end = 0;
    for (function, reached) in functions.iter().zip(&reached) {
        starts.push(reached.then_some(end));
        end += if *reached { function.insns.len() } else { 0 };
    }
    let mut out = Emitted { functions: starts.iter().flatten().copied().collect(), ..Emitted::default() };
    for (mut function, start) in functions.into_iter().zip(&starts) {
        let Some(start) = start else { continue };
        for (at, target) in &function.functions {
            let target = starts.get(target.0 as usize).copied().flatten().unwrap_or_default();
            let distance = target as i64 - (start + at) as i64 - 1;
            if let Some(insn) = function.insns.get_mut(*at) {
                insn.imm = i32::try_from(distance).unwrap_or_default();
            }
        }
        out.insns.append(&mut function.insns);
        out.spans.append(&mut function.spans);
        let moved = |relocation: Relocation| Relocation { insn: relocation.insn + start, ..relocation };
        out.relocations.extend(function.relocations.into_iter().map(moved));
    }
    Ok(out)
}

/// Which functions the first leads to, itself among them.
fn reached(functions: &[Encoded]) -> Vec<bool> {
    let mut reached = vec![false; functions.len()];
    let mut pending = vec![0];
    while let Some(index) = pending.pop() {
        let Some((function, seen)) = functions.get(index).zip(reached.get_mut(index)) else { continue };
        if !std::mem::replace(seen, true) {
            pending.extend(function.functions.iter().map(|(_, id)| id.0 as usize));
        }
    }
    reached
}

/// The stack is one for all functions that are active at a time.
fn fits(functions: &[Encoded]) -> Result<(), EmitError> {
    let (Some(first), true) = (functions.first(), functions.len() > 1) else { return Ok(()) };
    let bytes = deepest(functions, 0, functions.len());
    if bytes <= STACK_BYTES {
        return Ok(());
    }
    let (slot, slot_bytes, span) = first.frame.largest;
    Err(EmitError::Stack { bytes, slot, slot_bytes, span })
}

/// Bytes of stack of a function and those it leads to; `left` bounds how deep that goes.
fn deepest(functions: &[Encoded], index: usize, left: usize) -> u32 {
    let (Some(function), Some(left)) = (functions.get(index), left.checked_sub(1)) else { return 0 };
    let called = function.functions.iter().map(|(_, id)| deepest(functions, id.0 as usize, left)).max();
    function.frame.bytes.max(1).next_multiple_of(PIECE) + called.unwrap_or(0)
}
