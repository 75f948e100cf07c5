//! `percpu_kaddr(name, cpu)`: where a variable of the kernel lies that each CPU has for itself.

use bpf::helper::Helper;

use super::Function;
use crate::check::{Call, Checker, pointer_to};
use crate::hir::Expr;
use crate::types::{Space, U64};

/// The kernel's table of how far each CPU's variables are moved.
pub const CPU_OFFSETS: &str = "__per_cpu_offset";

/// See the module.
pub const FUNCTION: Function = Function {
    name: "percpu_kaddr",
    signature: "percpu_kaddr(const string name, int cpu = cpu)",
    summary: "The address of a CPU's own copy of a kernel variable, as a pointer to `uint64`.",
    example: r#"interval:s:1 { print(*percpu_kaddr("process_counts", 0)); }"#,
    args: (1, 2),
    changes_system: false,
    check,
};

fn check(checker: &mut Checker<'_>, call: &Call<'_>) -> Expr {
    let cpu = call.args.get(1).map(|_| checker.integer_arg(call, 1));
    let Some(name) = checker.string_arg(call, 0) else { return Expr::poison(call.span) };
    let symbols = &checker.target.kernel_symbols;
    let known = symbols.get(&name).copied().zip(symbols.get(CPU_OFFSETS).copied());
    let Some((variable, offsets)) = known else {
        if !checker.target.complete {
            return Expr::poison(call.span);
        }
        return checker.error("E0515", call.span, format!("Failed to resolve kernel symbol: {name}"));
    };
    Expr::scalar("percpu_kaddr", pointer_to(U64, Space::Kernel), call.span, move |lowerer| {
        let cpu = match &cpu {
            Some(cpu) => lowerer.scalar(cpu),
            None => lowerer.call(Helper::GetSmpProcessorId, &[]),
        };
        let place = lowerer.b.shl(cpu, 3);
        let place = lowerer.b.add(place, offsets.cast_signed());
        let moved = lowerer.read_scalar(place.into(), &U64, Space::Kernel, None);
        lowerer.b.add(moved, variable.cast_signed()).into()
    })
}
