//! `skboutput(path, skb, length, offset)`: writes a packet to a file.

use bpf::helper::Helper;
use report::schema::EventKind;

use super::Function;
use crate::ast;
use crate::check::{Call, Checker};
use crate::diagnostic::Diagnostic;
use crate::expand::Context;
use crate::hir::{Expr, ExprKind};
use crate::ir::{Cmp, Operand, Width};
use crate::lower::{Lost, Lowerer};
use crate::types::{Ty, U32};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "skboutput",
    signature: "skboutput(const string path, struct sk_buff *skb, uint64 length, const uint64 offset)",
    summary: "Writes the first `length` bytes of a packet's data to a file in the form of libpcap, without the first `offset` of them; 0, or \
              a negative error. The file is made when the script starts, for raw IP: leave out the header of the link layer, 14 bytes \
              of Ethernet. Known in `fentry`, `fexit` and `rawtracepoint`.",
    example: r#"fentry:__dev_queue_xmit { skboutput("out.pcap", args.skb, args.skb.len, 14); }"#,
    args: (4, 4),
    changes_system: false,
    check,
};

/// The error of a helper that finds its buffer full.
const ENOSPC: i64 = 28;
/// `BPF_F_CURRENT_CPU`: the buffer of this CPU.
const THIS_CPU: i64 = 0xffff_ffff;
/// Bytes before the packet: the event's number and four zeros, the time, the length.
const HEADER: u32 = report::event::PACKET_START as u32;

fn check(checker: &mut Checker<'_>, call: &Call<'_>) -> Expr {
    if !checker.options.files_allowed {
        let message = "skboutput() writes to files, which is for scripts that run on one machine";
        checker.report(
            Diagnostic::error("E0502", call.span, message)
                .help("run it there: `bpfleet run`; on many nodes count in maps what is of interest"),
        );
        return Expr::poison(call.span);
    }
    let path = checker.string_arg(call, 0);
    let packet = packet(checker, call);
    let length = checker.integer_arg(call, 2);
    let skip = checker.constant_arg(call, 3, None);
    let (Some(path), Some(packet), Some(skip), false) = (path, packet, skip, length.ty.is_unknown()) else {
        return Expr::poison(call.span);
    };
    let kind = EventKind::Packet { path, skip: skip.cast_unsigned() };
    Expr::scalar("skboutput", U32, call.span, move |lowerer| write(lowerer, &kind, &packet, &length))
}

/// The packet: an argument of the probe, as the helper takes no other.
fn packet(checker: &mut Checker<'_>, call: &Call<'_>) -> Option<Expr> {
    let arg = call.args.get(1)?;
    if !matches!(checker.context, Context::Function(_) | Context::Raw { typed: true, .. }) {
        let message = "`skboutput` is known in `fentry`, `fexit` and `rawtracepoint` only";
        let help = "they are attached by types, which tell the kernel what a packet is";
        checker.report(Diagnostic::error("E0209", call.span, message).help(help));
        return None;
    }
    let ty = checker.expr(arg).ty;
    let origin = origin(checker, arg).clone();
    checker.keeps_pointers = true;
    let value = Expr { ty, ..checker.expr(&origin) };
    checker.keeps_pointers = false;
    if value.ty.is_unknown() {
        return None;
    }
    if !is_packet(&value.ty) {
        let message = format!("argument 2 of `skboutput` is a `struct sk_buff *`, not `{}`", value.ty);
        checker.error("E0504", arg.span, message);
        return None;
    }
    if !is_argument(&value) {
        checker.report(
            Diagnostic::error("E0504", arg.span, "argument 2 of `skboutput` is an argument of the probe itself").help(
                "the kernel takes no copy: write `args.skb`, or a variable that is assigned that once, at the start",
            ),
        );
        return None;
    }
    Some(value)
}

/// Where a packet comes from that variables may have held since.
fn origin<'e>(checker: &Checker<'e>, packet: &'e ast::Expr) -> &'e ast::Expr {
    match &packet.node {
        ast::ExprKind::Variable(name) => match checker.only_value(name, packet.span) {
            Some(value) => origin(checker, value),
            None => packet,
        },
        ast::ExprKind::Cast { operand, .. } => origin(checker, operand),
        _ => packet,
    }
}

fn is_packet(ty: &Ty) -> bool {
    matches!(ty, Ty::Pointer { to, .. } if matches!(&**to, Ty::Struct(of) if &*of.name == "struct sk_buff"))
}

/// Whether a value is a word of the context, by whatever type.
fn is_argument(value: &Expr) -> bool {
    match &value.kind {
        ExprKind::Context { .. } => true,
        ExprKind::Cast(value) => is_argument(value),
        _ => false,
    }
}

fn write(lowerer: &mut Lowerer<'_>, kind: &EventKind, packet: &Expr, length: &Expr) -> Operand {
    let event = lowerer.resources.event(kind.clone(), HEADER);
    let packets = lowerer.resources.packets();
    let length = lowerer.scalar(length);
    let head = lowerer.b.slot(HEADER);
    lowerer.b.store(head, 0, Width::B8, i64::from(event.0));
    let now = lowerer.b.call(Helper::KtimeGetBootNs, &[]);
    lowerer.b.store(head, 8, Width::B8, now);
    lowerer.b.store(head, 16, Width::B8, length);
    let high = lowerer.b.shl(length, 32);
    let flags = lowerer.b.or(high, THIS_CPU);
    let packet = lowerer.scalar(packet);
    let (map, head) = (lowerer.b.map_addr(packets), lowerer.b.slot_addr(head, 0));
    let size = Operand::Imm(i64::from(HEADER));
    let result = lowerer.b.call(Helper::SkbOutput, &[packet, map.into(), flags.into(), head.into(), size]);
    let (full, done) = (lowerer.b.new_block(), lowerer.b.new_block());
    lowerer.b.branch(Cmp::Eq, result, -ENOSPC, full, done);
    lowerer.b.switch_to(full);
    lowerer.count_lost(Lost::Event);
    lowerer.b.jump(done);
    lowerer.b.switch_to(done);
    lowerer.b.extend(result, Width::B4, false).into()
}
