//! Improvements to the low-level form: less code and fewer registers for the same effect.
//!
//! Each pass takes a function that keeps the rules of [`crate::ir::verify`] and leaves one that does. They run in rounds until
//! nothing changes. A register that is assigned once is as good as SSA: every path to a read passes its assignment, so that
//! what is known of it there holds at the read too.

mod fold;
mod known;
mod narrow;
mod propagate;
mod reach;
mod share;
mod slots;
mod stores;
mod straighten;
mod sweep;
#[cfg(test)]
mod tests;

use crate::ir::Function;

/// What a script gains after the third round is not worth the time; the bound is for code nobody has seen yet.
const ROUNDS: usize = 8;

/// Runs all passes.
pub fn improve(function: &mut Function) {
    for _ in 0..ROUNDS {
        let mut changed = false;
        for pass in
            [propagate::propagate, narrow::narrow, share::share, straighten::straighten, stores::stores, sweep::sweep]
        {
            changed |= pass(function);
            assert_sound(function);
        }
        if !changed {
            break;
        }
    }
    slots::merge(function);
    assert_sound(function);
}

/// In debug builds: a pass that breaks a rule is at fault, not the script.
fn assert_sound(function: &Function) {
    if cfg!(debug_assertions)
        && let Err(broken) = crate::ir::verify::verify(function)
    {
        debug_assert!(false, "after a pass: {broken}\n{function}");
    }
}
