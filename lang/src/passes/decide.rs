//! Branches whose outcome an earlier branch on the only way there has decided.

use crate::ir::{BlockId, Cmp, Function, Operand, Term};

/// The most blocks looked back.
const FAR: usize = 32;

/// A comparison that holds.
type Fact = (Cmp, Operand, Operand);

/// One pass over the function; whether it changed anything.
pub(super) fn decide(function: &mut Function) -> bool {
    let once = function.assigned_once();
    let only_way = function.only_ways_in();
    let mut changed = false;
    for index in 0..function.blocks.len() {
        let Some(Term::Branch { cmp, a, b, then, otherwise }) =
            function.blocks.get(index).map(|block| block.term.clone())
        else {
            continue;
        };
        if !(once.is_stable(a) && once.is_stable(b)) {
            continue;
        }
        let known = facts(function, &only_way, BlockId(index as u32)).find_map(|(fact, left, right)| match () {
            () if (left, right) != (a, b) => None,
            () if fact == cmp => Some(then),
            () if fact == cmp.inverse() => Some(otherwise),
            () => None,
        });
        if let (Some(target), Some(block)) = (known, function.blocks.get_mut(index)) {
            block.term = Term::Jump(target);
            changed = true;
        }
    }
    changed
}

/// What the branches on the only way to a block have made sure of, the nearest first.
fn facts<'a>(
    function: &'a Function,
    only_way: &'a [Option<BlockId>],
    start: BlockId,
) -> impl Iterator<Item = Fact> + 'a {
    let mut at = start;
    let way = std::iter::from_fn(move || {
        let before = only_way.get(at.0 as usize).copied().flatten()?;
        let edge = (before, at);
        at = before;
        Some(edge)
    });
    way.take(FAR).filter_map(|(from, to)| match function.blocks.get(from.0 as usize)?.term {
        Term::Branch { then, otherwise, .. } if then == otherwise => None,
        Term::Branch { cmp, a, b, then, .. } => Some((if then == to { cmp } else { cmp.inverse() }, a, b)),
        _ => None,
    })
}
