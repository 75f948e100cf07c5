//! What `kstack` and `ustack` have in common: a mode and a number of frames, either of which may be left out.

use report::schema::StackMode;

use crate::ast::ExprKind;
use crate::builtin::MOST_FRAMES;
use crate::check::{Call, Checker};
use crate::config::stack_mode;
use crate::diagnostic::Diagnostic;
use crate::nearest::nearest;

/// The mode and the depth a call asks for; `None` once what is wrong has been reported.
pub fn stack_call(checker: &mut Checker<'_>, call: &Call<'_>) -> Option<(StackMode, u16)> {
    let mut mode = checker.config.stack_mode;
    let mut depth = MOST_FRAMES;
    for (index, arg) in call.args.iter().enumerate() {
        if let (0, ExprKind::Ident(name)) = (index, &arg.node) {
            let Some(found) = stack_mode(name) else {
                let modes = ["bpftrace", "perf", "raw", "build_id"];
                let d = Diagnostic::error("E0514", arg.span, format!("unknown stack mode `{name}`"));
                checker.report(match nearest(name, modes) {
                    Some(near) => d.help(format!("did you mean `{near}`?")),
                    None => d.help(format!("one of {}", modes.join(", "))),
                });
                return None;
            };
            mode = found;
            continue;
        }
        let frames = checker.constant_arg(call, index, None)?;
        depth = match u16::try_from(frames) {
            Ok(frames @ 1..=MOST_FRAMES) => frames,
            _ => {
                checker.error("E0514", arg.span, format!("a stack has 1 to {MOST_FRAMES} frames"));
                return None;
            }
        };
    }
    Some((mode, depth))
}
