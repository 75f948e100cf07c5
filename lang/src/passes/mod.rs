//! Improvements to the low-level form: less code and fewer registers for the same effect.
//!
//! Each pass takes a function that keeps the rules of [`crate::ir::verify`] and leaves one that does. They run until none finds
//! anything to do. A register that is assigned once is as good as SSA: every path to a read passes its assignment, so that
//! what is known of it there holds at the read too.

mod decide;
mod fold;
mod known;
mod lookups;
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

/// The most runs of passes over one function: several times what scripts take; the bound is for code nobody has seen yet.
const MOST_RUNS: usize = 80;

/// A pass over a function.
struct Pass {
    name: &'static str,
    /// Tells whether it changed anything.
    run: fn(&mut Function) -> bool,
    /// The passes that may find something to do after that, as bits by their places in [`PASSES`].
    wakes: u8,
}

const PROPAGATE: u8 = 1 << 0;
const SHARE: u8 = 1 << 1;
const DECIDE: u8 = 1 << 2;
const STRAIGHTEN: u8 = 1 << 3;
const SWEEP: u8 = 1 << 4;
const NARROW: u8 = 1 << 5;
const STORES: u8 = 1 << 6;
const LOOKUPS: u8 = 1 << 7;

/// Those in front make the work of those behind them smaller: a pass runs when those before it have nothing to do.
const PASSES: [Pass; 8] = [
    Pass {
        name: "propagate",
        run: propagate::propagate,
        wakes: SHARE | DECIDE | STRAIGHTEN | SWEEP | NARROW | STORES | LOOKUPS,
    },
    Pass { name: "share", run: share::share, wakes: PROPAGATE | SWEEP },
    Pass { name: "decide", run: decide::decide, wakes: STRAIGHTEN },
    Pass {
        name: "straighten",
        run: straighten::straighten,
        wakes: PROPAGATE | SHARE | DECIDE | SWEEP | STORES | LOOKUPS,
    },
    Pass { name: "sweep", run: sweep::sweep, wakes: STRAIGHTEN | STORES },
    Pass { name: "narrow", run: narrow::narrow, wakes: PROPAGATE | SWEEP },
    Pass { name: "stores", run: stores::stores, wakes: SWEEP | LOOKUPS },
    Pass { name: "lookups", run: lookups::lookups, wakes: PROPAGATE | DECIDE | SWEEP | STORES },
];

/// Runs all passes.
pub fn improve(function: &mut Function) {
    improve_noting(function, &mut |_, _| ());
}

/// Runs all passes; `note` is told of each that changed something, with what it left.
pub fn improve_noting(function: &mut Function, note: &mut dyn FnMut(&'static str, &Function)) {
    let mut pending = u8::MAX;
    for _ in 0..MOST_RUNS {
        let Some(pass) = PASSES.get(pending.trailing_zeros() as usize) else { break };
        pending &= pending - 1;
        if (pass.run)(function) {
            note(pass.name, function);
            pending |= pass.wakes;
        }
        assert_sound(function);
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
