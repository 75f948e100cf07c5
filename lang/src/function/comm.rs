//! `comm(pid)`: the name of a process by its id.

use report::schema::{EventKind, Field, PrintfTo, Type};

use super::Function;
use super::kernel_function::callable;
use crate::builtin;
use crate::check::{Call, Checker};
use crate::diagnostic::Diagnostic;
use crate::hir::Expr;
use crate::ir::{Cmp, Operand, Width};
use crate::lower::{COMM_BYTES, HEADER, Lowerer, Place};
use crate::types::Ty;

/// The functions of the kernel that find a process, and that let go of it; 6.2.
pub const TASK_FUNCTIONS: [&str; 2] = ["bpf_task_from_pid", "bpf_task_release"];

/// What a process that does not exist is called.
const NOBODY: &[u8; 3] = b"N/A";

/// See the module.
pub const FUNCTION: Function = Function {
    name: "comm",
    signature: "comm(uint32 pid)",
    summary: "The name of the process of this id, \"N/A\" and a warning where there is none; without an id that of the current thread. \
              By an id the kernel knows it from 6.2 on in `iter`, `fentry`, `fexit` and `rawtracepoint`, newer ones also in \
              `tracepoint`, `interval` and `profile`.",
    example: "iter:task { print(comm(1)); exit(); }",
    args: (0, 1),
    changes_system: false,
    check,
};

fn check(checker: &mut Checker<'_>, call: &Call<'_>) -> Expr {
    if call.args.is_empty() {
        return builtin::find("comm").map_or(Expr::poison(call.span), |comm| (comm.check)(checker, call.span));
    }
    let ty = Ty::Str { size: COMM_BYTES };
    let pid = checker.integer_arg(call, 0);
    let [find, release] = TASK_FUNCTIONS.map(|name| callable(checker, name));
    match (find, release) {
        _ if pid.ty.is_unknown() => Expr::poison(call.span),
        (Some(find), Some(release)) => {
            let expanded_from = checker.expanded_from(call.span);
            Expr::memory("comm", ty, call.span, move |lowerer, to, _| {
                let pid = lowerer.scalar(&pid);
                let site = lowerer.call_site(expanded_from);
                write(lowerer, to, pid, (find, release), PrintfTo::Warning(site));
            })
        }
        _ if !checker.target.complete => Expr { ty, ..Expr::poison(call.span) },
        _ => {
            let kind = checker.probe_name.split(':').next().unwrap_or_default();
            let message = format!("the kernel does not let probes of this kind ({kind}) look up a process by its id");
            checker.report(
                Diagnostic::error("E0209", call.span, message)
                    .help("`comm` is the name of the current thread; `iter:task` goes through all processes"),
            );
            Expr::poison(call.span)
        }
    }
}

fn write(lowerer: &mut Lowerer<'_>, to: Place, pid: Operand, (find, release): (u32, u32), warning: PrintfTo) {
    let (found, absent, done) = (lowerer.b.new_block(), lowerer.b.new_block(), lowerer.b.new_block());
    let pid = lowerer.b.extend(pid, Width::B4, true);
    let task = lowerer.b.call_kernel(find, &[pid.into()]);
    lowerer.b.branch(Cmp::Ne, task, 0, found, absent);

    lowerer.b.switch_to(found);
    lowerer.write_comm_of(task, to);
    lowerer.b.call_kernel(release, &[task.into()]);
    lowerer.b.jump(done);

    lowerer.b.switch_to(absent);
    lowerer.zero(to, COMM_BYTES);
    for (at, letter) in (0..).zip(NOBODY) {
        lowerer.b.store(to.base, to.offset + at, Width::B1, i64::from(*letter));
    }
    let format = "No such process (pid=%d)".to_owned();
    let args = vec![Field { ty: Type::Int { bytes: 4, signed: true }, offset: HEADER }];
    lowerer.send(EventKind::Printf { to: warning, format, args }, HEADER + 8, |lowerer, record| {
        let at = record.at(HEADER);
        lowerer.b.store(at.base, at.offset, Width::B8, pid);
    });
    lowerer.b.jump(done);
    lowerer.b.switch_to(done);
}
