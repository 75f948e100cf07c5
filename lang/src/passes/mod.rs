//! Improvements to the low-level form: less code and fewer registers for the same effect.
//!
//! Each pass takes a function that keeps the rules of [`crate::ir::verify`] and leaves one that does. They run in rounds until
//! nothing changes. A register that is assigned once is as good as SSA: every path to a read passes its assignment, so that
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

/// What a script gains after the third round is not worth the time; the bound is for code nobody has seen yet.
const ROUNDS: usize = 8;

/// A pass over a function; it tells whether it changed anything.
type Pass = (&'static str, fn(&mut Function) -> bool);

/// Those that make work for each other.
const EVERY_ROUND: [Pass; 5] = [
    ("propagate", propagate::propagate),
    ("share", share::share),
    ("decide", decide::decide),
    ("straighten", straighten::straighten),
    ("sweep", sweep::sweep),
];
/// Those that need the others to be done.
const AFTERWARDS: [Pass; 3] = [("narrow", narrow::narrow), ("stores", stores::stores), ("lookups", lookups::lookups)];

/// Runs all passes.
pub fn improve(function: &mut Function) {
    improve_noting(function, &mut |_, _| ());
}

/// Runs all passes; `note` is told of each that changed something, with what it left.
pub fn improve_noting(function: &mut Function, note: &mut dyn FnMut(&'static str, &Function)) {
    for _ in 0..ROUNDS {
        rounds(function, note);
        if !run(function, &AFTERWARDS, note) {
            break;
        }
    }
    slots::merge(function);
    assert_sound(function);
}

/// Pass after pass, until none of them in a row finds anything to do.
fn rounds(function: &mut Function, note: &mut dyn FnMut(&'static str, &Function)) {
    let mut idle = 0;
    for pass in EVERY_ROUND.iter().cycle().take(ROUNDS * EVERY_ROUND.len()) {
        idle = if run(function, &[*pass], note) { 0 } else { idle + 1 };
        if idle == EVERY_ROUND.len() {
            break;
        }
    }
}

fn run(function: &mut Function, passes: &[Pass], note: &mut dyn FnMut(&'static str, &Function)) -> bool {
    let mut changed = false;
    for (name, pass) in passes {
        let did = pass(function);
        assert_sound(function);
        if did {
            note(name, function);
        }
        changed |= did;
    }
    changed
}

/// In debug builds: a pass that breaks a rule is at fault, not the script.
fn assert_sound(function: &Function) {
    if cfg!(debug_assertions)
        && let Err(broken) = crate::ir::verify::verify(function)
    {
        debug_assert!(false, "after a pass: {broken}\n{function}");
    }
}
