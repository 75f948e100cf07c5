//! The order of the blocks in the program, and how often each is expected to run.
//!
//! A block is followed by its likelier successor, so that the usual way through a program takes few jumps; what is left, such as
//! the code for a new map element, comes behind it.

use crate::ir::{BlockId, Cmp, Function, Operand, Term};

/// A block in its place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Laid {
    pub id: BlockId,
    /// Relative to the entry: eight times more in each loop.
    pub weight: f32,
}

/// The blocks that can be reached, the entry first.
pub(super) fn layout(function: &Function) -> Vec<Laid> {
    let walk = function.reverse_postorder();
    let rank = ranks(function, &walk);
    let weights = weights(function, &walk, &rank);
    let mut placed = vec![false; function.blocks.len()];
    let mut order = Vec::with_capacity(function.blocks.len());
    let mut open = vec![BlockId(0)];
    while let Some(start) = open.pop() {
        let mut next = Some(start);
        while let Some(id) = next.take() {
            let Some(placed) = placed.get_mut(id.0 as usize).filter(|placed| !**placed) else { break };
            *placed = true;
            order.push(Laid { id, weight: weights.get(id.0 as usize).copied().unwrap_or(1.0) });
            let Some(block) = function.blocks.get(id.0 as usize) else { break };
            match likely(&block.term, &rank) {
                Some((likely, unlikely)) => {
                    open.extend(unlikely);
                    open.push(likely);
                    next = open.pop();
                }
                None => break,
            }
        }
    }
    order
}

/// The successor to run on into, and the other. A value that equals something, null above all, or is negative is taken to be the
/// exception; else code that may be skipped comes before what follows it.
fn likely(term: &Term, rank: &[usize]) -> Option<(BlockId, Option<BlockId>)> {
    let (cmp, b, then, otherwise) = match *term {
        Term::Jump(target) => return Some((target, None)),
        Term::Branch { cmp, b, then, otherwise, .. } => (cmp, b, then, otherwise),
        Term::Exit(_) => return None,
    };
    let zero = b == Operand::Imm(0);
    let then_first = match cmp {
        Cmp::Eq => false,
        Cmp::Ne => true,
        Cmp::SLt | Cmp::SLe if zero => false,
        Cmp::SGt | Cmp::SGe if zero => true,
        _ => rank.get(then.0 as usize) <= rank.get(otherwise.0 as usize),
    };
    Some(if then_first { (then, Some(otherwise)) } else { (otherwise, Some(then)) })
}

/// For each block how many come before it in the order of a depth-first walk; the highest number where it cannot be reached.
fn ranks(function: &Function, order: &[BlockId]) -> Vec<usize> {
    let mut rank = vec![usize::MAX; function.blocks.len()];
    for (index, id) in order.iter().enumerate() {
        rank.get_mut(id.0 as usize).into_iter().for_each(|rank| *rank = index);
    }
    rank
}

/// Eight to the power of the loops around each block. A loop belongs to an edge that leads back in the order of a depth-first walk.
fn weights(function: &Function, order: &[BlockId], rank: &[usize]) -> Vec<f32> {
    let rank_of = |id: BlockId| rank.get(id.0 as usize).copied().unwrap_or(usize::MAX);
    let mut sources: Vec<Vec<BlockId>> = vec![Vec::new(); function.blocks.len()];
    let mut back: Vec<(BlockId, BlockId)> = Vec::new();
    for id in order {
        for target in function.blocks.get(id.0 as usize).into_iter().flat_map(|block| block.term.successors()) {
            sources.get_mut(target.0 as usize).into_iter().for_each(|sources| sources.push(*id));
            if rank_of(target) <= rank_of(*id) {
                back.push((*id, target));
            }
        }
    }
    let mut weights = vec![1.0f32; function.blocks.len()];
    for (from, head) in back {
        for (index, inside) in members(&sources, from, head).into_iter().enumerate() {
            if let Some(weight) = weights.get_mut(index).filter(|_| inside) {
                *weight *= 8.0;
            }
        }
    }
    weights
}

/// The blocks from which a loop's end can be reached without passing its head, and the head.
fn members(sources: &[Vec<BlockId>], from: BlockId, head: BlockId) -> Vec<bool> {
    let mut inside = vec![false; sources.len()];
    inside.get_mut(head.0 as usize).into_iter().for_each(|inside| *inside = true);
    let mut open = vec![from];
    while let Some(id) = open.pop() {
        let Some(seen) = inside.get_mut(id.0 as usize).filter(|seen| !**seen) else { continue };
        *seen = true;
        open.extend(sources.get(id.0 as usize).into_iter().flatten());
    }
    inside
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::Builder;

    #[test]
    fn the_usual_way_comes_first_and_exceptions_behind() {
        let mut b = Builder::new();
        let (missing, found) = (b.new_block(), b.new_block());
        let value = b.copy(1);
        b.branch(Cmp::Ne, value, 0, found, missing);
        b.switch_to(missing);
        b.jump(found);
        b.switch_to(found);
        b.exit(0);
        let order: Vec<u32> = layout(&b.finish()).iter().map(|laid| laid.id.0).collect();
        assert_eq!(order, [0, 2, 1]);
    }

    #[test]
    fn blocks_in_a_loop_weigh_more() {
        let mut b = Builder::new();
        let (head, body, done) = (b.new_block(), b.new_block(), b.new_block());
        let count = b.copy(0);
        b.jump(head);
        b.switch_to(head);
        b.branch(Cmp::ULt, count, 3, body, done);
        b.switch_to(body);
        b.jump(head);
        b.switch_to(done);
        let weights: Vec<(u32, f32)> = layout(&b.finish()).iter().map(|laid| (laid.id.0, laid.weight)).collect();
        assert_eq!(weights, [(0, 1.0), (1, 8.0), (2, 8.0), (3, 1.0)]);
    }
}
