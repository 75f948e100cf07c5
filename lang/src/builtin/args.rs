//! `args`: the fields of what a probe is attached to; of functions, also all of them as one record.

use std::rc::Rc;

use bpf::btf::{Btf, Kind, Param};

use super::{Builtin, passed, typed};
use crate::ast;
use crate::check::{Checker, memory, pointer_to};
use crate::compiled::Attach;
use crate::ctype::{self, Types};
use crate::diagnostic::Diagnostic;
use crate::expand::Context;
use crate::hir::{Expr, ExprKind};
use crate::ir::{Operand, Width};
use crate::nearest::nearest;
use crate::span::{Span, Spanned};
use crate::target::{TracepointField, TracepointFormat};
use crate::types::{I64, Space, Ty, U64};

/// See the module.
pub const BUILTIN: Builtin = Builtin {
    name: "args",
    ty: "struct",
    summary: "The fields of the tracepoint or the arguments of the function, as `args.name`, or all of them at once. \
              Those of a program's function come from its debug information.",
    example: "tracepoint:block:block_rq_issue { @ = hist(args.bytes); }",
    check: whole,
};

/// `args`: a record of all fields, or of the arguments that have names.
fn whole(checker: &mut Checker<'_>, span: Span) -> Expr {
    let names: Vec<String> = match checker.context.clone() {
        Context::Record { format: Some(format), .. } => format.fields.iter().map(|field| field.name.clone()).collect(),
        Context::SyscallEnter => vec!["id".to_owned(), "args".to_owned()],
        Context::SyscallExit | Context::Syscalls { exit: true, .. } => vec!["id".to_owned(), "ret".to_owned()],
        Context::Raw { event, .. } => match checker.target.btf.clone() {
            Some(btf) => raw_params(&btf, &event).iter().map(|param| param.name.to_owned()).collect(),
            None => vec![],
        },
        Context::Entry { space: Space::User, typed: Some(function) } => passed::names(checker, &function),
        Context::Entry { space: Space::User, typed: None } => return untold(checker, span),
        Context::Function(function) if !function.ret => typed::names(checker, &function),
        Context::Entry { typed: Some(function), .. } => typed::names(checker, &function),
        _ => vec![],
    };
    if names.is_empty() {
        // What is wrong is the same as with any field.
        return field(checker, &Spanned { node: String::new(), span }, span);
    }
    let values: Vec<Expr> =
        names.iter().map(|name| field(checker, &Spanned { node: name.clone(), span }, span)).collect();
    let ty = Ty::Record(names.into_iter().zip(&values).map(|(name, value)| (name, value.ty.clone())).collect());
    Expr { kind: ExprKind::Tuple(values), ty, span }
}

/// Says why the arguments of a program's function are not known.
fn untold(checker: &mut Checker<'_>, span: Span) -> Expr {
    if !checker.target.complete {
        return Expr::poison(span);
    }
    let (file, place) = match &checker.attach {
        Some(Attach::Uprobe { path, function, .. }) => (path.clone(), function.clone()),
        _ => Default::default(),
    };
    let described = checker.target.user_file(&file).is_some_and(|file| file.described);
    let (message, help) = match described {
        true => (
            format!("the debug information of {file} tells no arguments of {place}"),
            "they are known where a function is entered, unless the compiler has changed them or has put what it knows into .dwo files, which are not read; `arg0`, `arg1` .. are the registers",
        ),
        false => (
            format!("no debuginfo found for {file}"),
            "build it with -g or install its debug package; `arg0`, `arg1` .. are known without",
        ),
    };
    checker.report(Diagnostic::error("E0210", span, message).help(help));
    Expr::poison(span)
}

/// `args.field`
pub fn field(checker: &mut Checker<'_>, field: &Spanned<String>, span: Span) -> Expr {
    match checker.context.clone() {
        Context::Record { format: Some(format), space } => record_field(checker, &format, space, field, span),
        Context::SyscallEnter => syscall_enter(checker, field, span),
        Context::SyscallExit => syscall_exit(checker, field, span),
        Context::Raw { event, .. } => raw_argument(checker, &event, field, span),
        Context::Syscalls { exit: true, .. } => syscall_exit(checker, field, span),
        Context::Entry { space: Space::User, typed: Some(function) } => {
            passed::argument(checker, &function, field, span)
        }
        Context::Entry { space: Space::User, typed: None } => untold(checker, span),
        Context::Function(function) | Context::Entry { typed: Some(function), .. } => {
            typed::argument(checker, &function, field, span)
        }
        Context::Return { typed: Some(_), .. } => {
            checker.report(
                Diagnostic::error("E0209", span, "`args` is not known at the return of a function on this node")
                    .help("its kernel cannot attach by types; keep in a map at the entry what is wanted at the return"),
            );
            Expr::poison(span)
        }
        Context::Record { format: None, .. } => {
            if checker.target.complete {
                return checker.error("E0210", span, "the fields of this tracepoint are not known");
            }
            Expr::poison(span)
        }
        _ => {
            checker.report(
                Diagnostic::error("E0209", span, "`args` is known in tracepoints and at the entry of functions only")
                    .help("the arguments of a function are `arg0`, `arg1` .., what it returns is `retval`"),
            );
            Expr::poison(span)
        }
    }
}

fn record_field(
    checker: &mut Checker<'_>,
    format: &Rc<TracepointFormat>,
    space: Space,
    field: &Spanned<String>,
    span: Span,
) -> Expr {
    let Some(found) = format.fields.iter().find(|f| f.name == field.node) else {
        return unknown_field(checker, field, format.fields.iter().map(|f| f.name.as_str()));
    };
    let Ok(offset) = i32::try_from(found.offset) else { return Expr::poison(span) };
    if found.ty.starts_with("__data_loc") || found.ty.starts_with("__rel_loc") {
        return located(checker, found, offset, span);
    }
    match field_type(checker, found, space) {
        Some(ty) => Expr { kind: ExprKind::Context { offset }, ty, span },
        None => checker.unsupported(span, &format!("a field of type `{}`", found.ty)),
    }
}

/// The type of a field from its C type, its size and its sign.
fn field_type(checker: &mut Checker<'_>, field: &TracepointField, space: Space) -> Option<Ty> {
    let text = field.ty.trim();
    if let Some((element, rest)) = text.split_once('[') {
        let len: u32 = rest.trim_end_matches(']').trim().parse().ok().filter(|len| *len > 0)?;
        let element = element.trim();
        if matches!(element.trim_start_matches("const ").trim(), "char") {
            return Some(Ty::Str { size: len });
        }
        let size = field.size / len;
        let of = TracepointField { ty: element.to_owned(), size, ..field.clone() };
        return Some(Ty::Array { element: Rc::new(field_type(checker, &of, space)?), len });
    }
    if text.contains('*') && field.size == 8 {
        return Some(pointer_to(pointee(checker, text), space));
    }
    if let Some(name) = text.strip_prefix("enum ") {
        let named = checker.kernel_type(Kind::Enum, name.trim());
        if let Some(ty) = named.filter(|ty| ty.layout().size == field.size) {
            return Some(ty);
        }
    }
    matches!(field.size, 1 | 2 | 4 | 8).then(|| match text {
        "bool" => Ty::Bool,
        _ => Ty::Int { bytes: field.size as u8, signed: field.signed || is_signed(text) },
    })
}

/// Whether the name of a C type says that it is signed. The kernel calls all arguments of system calls unsigned.
fn is_signed(text: &str) -> bool {
    let name = text.trim_start_matches("const ").trim();
    let named = ["off_t", "loff_t", "pid_t", "key_t", "key_serial_t", "clockid_t", "timer_t", "mqd_t", "time_t"];
    ctype::integer(name).is_some_and(|ty| ty.is_signed()) || named.contains(&name)
}

/// What a pointer's C type points to, where the kernel's types say.
fn pointee(checker: &mut Checker<'_>, text: &str) -> Ty {
    let plain = text.replace("const ", "").replace("__user ", "");
    let Some((base, more)) = plain.split_once('*') else { return Ty::Void };
    let base = base.trim();
    let ty = if let Some(integer) = ctype::integer(base) {
        integer
    } else {
        let name = base.strip_prefix("struct ");
        name.and_then(|name| checker.kernel_type(Kind::Struct, name)).unwrap_or(Ty::Void)
    };
    if more.contains('*') { pointer_to(ty, Space::Any) } else { ty }
}

/// A field of variable length: 16 bits of offset and 16 of length stand for it. Its text is behind the fixed fields.
fn located(checker: &mut Checker<'_>, field: &TracepointField, offset: i32, span: Span) -> Expr {
    if !field.ty.contains("char") {
        return checker.unsupported(span, &format!("a field of type `{}`", field.ty));
    }
    // Counted from the end of this very word instead of from the start of the record.
    let relative = field.ty.starts_with("__rel_loc");
    let most = checker.config.max_strlen;
    let ty = Ty::Str { size: most.saturating_sub(1).max(1) };
    let read = most.min(ty.layout().size);
    Expr::memory("args", ty, span, move |lowerer, to, fill| {
        let context = lowerer.b.context();
        let place = lowerer.b.load(context, offset, Width::B4, false);
        let at = lowerer.b.and(place, 0xffff);
        let start = if relative { lowerer.b.add(at, i64::from(offset) + 4) } else { at };
        let address = lowerer.b.add(context, start);
        lowerer.read_string(to, read, Operand::Reg(address), Space::Kernel, fill);
    })
}

fn syscall_enter(checker: &mut Checker<'_>, field: &Spanned<String>, span: Span) -> Expr {
    match field.node.as_str() {
        "id" => Expr { kind: ExprKind::Context { offset: 8 }, ty: I64, span },
        "args" => {
            let registers = checker.target.arch.registers();
            let ty = Ty::Array { element: Rc::new(U64), len: 6 };
            Expr::memory("args", ty, span, move |lowerer, to, _| {
                for (index, offset) in (0u32..).zip(registers.syscall_args) {
                    let context = lowerer.b.context();
                    let saved = lowerer.b.load(context, 0, Width::B8, false);
                    let address = lowerer.b.add(saved, i64::from(offset));
                    lowerer.read_bytes(to.at(index * 8), 8, address.into(), Space::Kernel);
                }
            })
        }
        _ => unknown_field(checker, field, ["id", "args"].into_iter()),
    }
}

/// `args.args[index]` of a system call: one saved register, read alone.
pub fn element(checker: &mut Checker<'_>, base: &ast::Expr, index: &Expr, span: Span) -> Option<Expr> {
    let ast::ExprKind::Field { base, field, .. } = &base.node else { return None };
    let of_call = checker.context == Context::SyscallEnter && field.node == "args";
    if !of_call || base.node != ast::ExprKind::Ident("args".into()) {
        return None;
    }
    let number = usize::try_from(index.constant()?).ok()?;
    let offset = *checker.target.arch.registers().syscall_args.get(number)?;
    let saved = Expr { kind: ExprKind::Context { offset: 0 }, ty: U64, span };
    Some(memory(saved, i64::from(offset), U64, Space::Kernel, None, span))
}

fn syscall_exit(checker: &mut Checker<'_>, field: &Spanned<String>, span: Span) -> Expr {
    match field.node.as_str() {
        "ret" => Expr { kind: ExprKind::Context { offset: 8 }, ty: I64, span },
        "id" | "__syscall_nr" => {
            let saved = Expr { kind: ExprKind::Context { offset: 0 }, ty: U64, span };
            let offset = i64::from(checker.target.arch.registers().syscall_number);
            // 32 bits of it on every architecture; what follows them is something else on aarch64.
            let number = memory(saved, offset, Ty::Int { bytes: 4, signed: true }, Space::Kernel, None, span);
            checker.cast_to(I64, number, span)
        }
        _ => unknown_field(checker, field, ["id", "ret"].into_iter()),
    }
}

/// An argument of a tracepoint's raw form by its name, as the kernel's types tell it.
fn raw_argument(checker: &mut Checker<'_>, event: &str, field: &Spanned<String>, span: Span) -> Expr {
    let Some(btf) = checker.target.btf.clone() else {
        if !checker.target.complete {
            return Expr::poison(span);
        }
        return checker.error("E0210", span, "the arguments are not known by name: this kernel has no BTF");
    };
    let params = raw_params(&btf, event);
    match params.iter().position(|param| param.name == field.node) {
        Some(index) => {
            let ty =
                params.get(index).map_or(U64, |param| ctype::of_btf(&Types::new(btf.clone()), param.ty, Space::Kernel));
            let is_pointer = matches!(ty, Ty::Pointer { .. });
            let whole = typed::in_context(checker, index as i32 * 8, is_pointer, span);
            if ty.is_scalar() { checker.cast_to(ty, whole, span) } else { whole }
        }
        None => unknown_field(checker, field, params.iter().map(|param| param.name)),
    }
}

/// The arguments of a tracepoint's raw form. Newer kernels keep their names in a function made for that.
fn raw_params<'b>(btf: &'b Btf, event: &str) -> Vec<Param<'b>> {
    let stub = ["__probestub_", "__traceiter_"].iter().find_map(|prefix| btf.find_func(&format!("{prefix}{event}")));
    match stub {
        // The first parameter is private to the tracepoint.
        Some(stub) => btf.params(stub).skip(1).collect(),
        None => btf.tracepoint_params(event).unwrap_or_default(),
    }
}

pub(super) fn unknown_field<'n>(
    checker: &mut Checker<'_>,
    field: &Spanned<String>,
    names: impl Iterator<Item = &'n str>,
) -> Expr {
    let names: Vec<&str> = names.collect();
    let d = Diagnostic::error("E0316", field.span, format!("`args` has no field `{}`", field.node));
    checker.report(match nearest(&field.node, names.iter().copied()) {
        Some(near) => d.help(format!("did you mean `{near}`?")),
        None => d.help(format!("it has {}", names.join(", "))),
    });
    Expr::poison(field.span)
}
