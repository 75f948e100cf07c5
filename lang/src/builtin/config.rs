//! `config`: the script's settings.

use report::schema::StackMode;

use super::Builtin;
use crate::config::MissingProbes;
use crate::hir::{Expr, ExprKind};
use crate::types::Ty;

/// See the module.
pub const BUILTIN: Builtin = Builtin {
    name: "config",
    ty: "record",
    summary: "The script's settings, as `config.max_strlen`.",
    example: "begin { print(config.max_strlen); }",
    check: |checker, span| {
        let config = checker.config;
        let number = |value: u32| Expr::int(i64::from(value), span);
        let flag = |value: bool| Expr { ty: Ty::Bool, ..Expr::int(i64::from(value), span) };
        let text = |value: &str| Expr::str(value, span);
        let missing = match config.missing_probes {
            MissingProbes::Error => "error",
            MissingProbes::Warn => "warn",
            MissingProbes::Ignore => "ignore",
        };
        let stack_mode = match config.stack_mode {
            StackMode::Bpftrace => "bpftrace",
            StackMode::Perf => "perf",
            StackMode::Raw => "raw",
            StackMode::BuildId => "build_id",
        };
        let fields = [
            ("cpp_demangle", flag(true)),
            ("license", text("GPL")),
            ("max_bpf_progs", number(config.max_bpf_programs)),
            ("max_cat_bytes", number(config.max_cat_bytes)),
            ("max_map_keys", number(config.max_map_keys)),
            ("max_probes", number(config.max_probes)),
            ("max_strlen", number(config.max_strlen)),
            ("missing_probes", text(missing)),
            ("print_maps_on_exit", flag(config.print_maps_on_exit)),
            ("stack_mode", text(stack_mode)),
            ("str_trunc_trailer", text(&config.str_trunc_trailer)),
        ];
        let ty = Ty::Record(fields.iter().map(|(name, value)| ((*name).to_owned(), value.ty.clone())).collect());
        let values = fields.into_iter().map(|(_, value)| value).collect();
        Expr { kind: ExprKind::Tuple(values), ty, span }
    },
};
