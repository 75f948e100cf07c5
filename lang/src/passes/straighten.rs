//! Control flow: jumps to jumps, branches whose outcome the way there decides, blocks with one way in, and blocks nobody reaches.

use crate::ir::{Block, BlockId, Cmp, Function, Inst, Operand, Term};

/// One pass over the function; whether it changed anything.
pub(super) fn straighten(function: &mut Function) -> bool {
    let mut changed = false;
    for index in 0..function.blocks.len() {
        changed |= thread(function, BlockId(index as u32));
    }
    changed |= unify_exits(function);
    let order = function.reverse_postorder();
    let merged = merge(function, &order);
    // Blocks that were merged are reached no more.
    if merged || order.len() != function.blocks.len() {
        remove_unreachable(function);
        changed = true;
    }
    changed
}

fn block(function: &Function, id: BlockId) -> Option<&Block> {
    function.blocks.get(id.0 as usize)
}

/// Leads each way out of a block past blocks that only decide where to go next.
fn thread(function: &mut Function, from: BlockId) -> bool {
    let Some(own) = block(function, from) else { return false };
    let mut term = own.term.clone();
    match &mut term {
        Term::Jump(target) => {
            let next = follow(function, *target, &|operand| last_constant(own, operand), None);
            match block(function, next) {
                Some(Block { insts, term: Term::Exit(value @ Operand::Imm(_)), .. }) if insts.is_empty() => {
                    term = Term::Exit(*value);
                }
                _ => *target = next,
            }
        }
        Term::Branch { cmp, a, b, then, otherwise } => {
            for (target, holds) in [(&mut *then, true), (&mut *otherwise, false)] {
                let equal = if holds { Cmp::Eq } else { Cmp::Ne };
                let constant = |operand: Operand| match b.constant() {
                    Some(value) if *cmp == equal && operand == *a => Some(value),
                    _ => last_constant(own, operand),
                };
                *target = follow(function, *target, &constant, Some((*cmp, *a, *b, holds)));
            }
            if then == otherwise {
                term = Term::Jump(*then);
            }
        }
        Term::Exit(_) => {}
    }
    let changed = term != own.term;
    if let Some(own) = function.blocks.get_mut(from.0 as usize) {
        own.term = term;
    }
    changed
}

/// A comparison and whether it holds.
type Fact = (Cmp, Operand, Operand, bool);

/// The block that is reached from `target` when nothing but empty blocks lies between.
fn follow(
    function: &Function,
    target: BlockId,
    constant: &dyn Fn(Operand) -> Option<i64>,
    fact: Option<Fact>,
) -> BlockId {
    let mut at = target;
    for _ in 0..function.blocks.len() {
        let Some(next) = block(function, at).filter(|block| block.insts.is_empty()) else { break };
        at = match next.term {
            Term::Jump(next) => next,
            Term::Branch { cmp, a, b, then, otherwise } => {
                let value = |operand: Operand| operand.constant().or_else(|| constant(operand));
                let holds = match (value(a), value(b), fact) {
                    (Some(left), Some(right), _) => cmp.eval(left, right),
                    (_, _, Some((known, left, right, holds))) if (left, right) == (a, b) && known == cmp => holds,
                    (_, _, Some((known, left, right, holds))) if (left, right) == (a, b) && known == cmp.inverse() => {
                        !holds
                    }
                    _ => break,
                };
                if holds { then } else { otherwise }
            }
            Term::Exit(_) => break,
        };
    }
    at
}

/// The constant that a register holds at the end of a block, if the block assigns one last.
fn last_constant(block: &Block, operand: Operand) -> Option<i64> {
    let register = operand.register()?;
    let last = block.insts.iter().rev().find(|(inst, _)| inst.dst() == Some(register));
    match last {
        Some((Inst::Copy { value, .. }, _)) => value.constant(),
        _ => None,
    }
}

/// One block for all that only leave with the same constant.
fn unify_exits(function: &mut Function) -> bool {
    let mut exits: Vec<(Operand, BlockId)> = Vec::new();
    let mut instead: Vec<(BlockId, BlockId)> = Vec::new();
    for (index, block) in function.blocks.iter().enumerate() {
        let Term::Exit(value @ Operand::Imm(_)) = block.term else { continue };
        if index == 0 || !block.insts.is_empty() {
            continue;
        }
        let id = BlockId(index as u32);
        match exits.iter().find(|(other, _)| *other == value) {
            Some((_, first)) => instead.push((id, *first)),
            None => exits.push((value, id)),
        }
    }
    let mut changed = false;
    for block in &mut function.blocks {
        block.term.for_each_target_mut(|target| {
            if let Some((_, first)) = instead.iter().find(|(other, _)| other == target) {
                *target = *first;
                changed = true;
            }
        });
    }
    changed
}

/// Appends blocks to the only block that leads to them.
fn merge(function: &mut Function, order: &[BlockId]) -> bool {
    let mut ways = vec![0u32; function.blocks.len()];
    // The entry has a way in that no block stands for.
    ways.iter_mut().take(1).for_each(|entry| *entry = 1);
    for id in order.iter().copied() {
        for target in block(function, id).into_iter().flat_map(|block| block.term.successors()) {
            ways.get_mut(target.0 as usize).into_iter().for_each(|count| *count += 1);
        }
    }
    let mut changed = false;
    for id in order.iter().copied() {
        while let Some(Term::Jump(target)) = block(function, id).map(|block| block.term.clone()) {
            if target == id || ways.get(target.0 as usize) != Some(&1) {
                break;
            }
            let Some(next) = function.blocks.get_mut(target.0 as usize) else { break };
            let insts = std::mem::take(&mut next.insts);
            let (term, span) = (std::mem::replace(&mut next.term, Term::Exit(Operand::Imm(0))), next.term_span);
            let Some(own) = function.blocks.get_mut(id.0 as usize) else { break };
            own.insts.extend(insts);
            own.term = term;
            own.term_span = span;
            changed = true;
        }
    }
    changed
}

/// Keeps reachable blocks only and numbers them anew.
fn remove_unreachable(function: &mut Function) {
    let mut order = function.reverse_postorder();
    order.sort_unstable();
    let number = |id: BlockId| order.binary_search(&id).map_or(id, |index| BlockId(index as u32));
    let blocks = std::mem::take(&mut function.blocks);
    let kept = blocks.into_iter().enumerate().filter(|(index, _)| order.binary_search(&BlockId(*index as u32)).is_ok());
    function.blocks = kept
        .map(|(_, mut block)| {
            block.term.for_each_target_mut(|target| *target = number(*target));
            block
        })
        .collect();
}
