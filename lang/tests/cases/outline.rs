//! A compiled script without its code: what attaches where, what is kept, what is sent.

use std::fmt::Write;

use lang::compiled::{Compiled, Program};
use report::schema::{EventKind, EventSchema, Field, MapSchema, Type, ValueKind};

/// One line for each program, attach point, map and event.
pub fn outline(compiled: &Compiled) -> String {
    let mut out = String::new();
    for program in &compiled.programs {
        self::program(&mut out, program);
    }
    for map in &compiled.schema.maps {
        line(&mut out, &map_line(map));
    }
    for event in &compiled.schema.events {
        line(&mut out, &event_line(event));
    }
    for map in &compiled.maps {
        let (key, value, entries) = (map.key_size, map.value_size, map.max_entries);
        line(
            &mut out,
            &format!(
                "bpf map {} {:?} for {:?}: {key} -> {value} bytes, {entries} entries",
                map.name, map.kind, map.role
            ),
        );
    }
    out
}

fn line(out: &mut String, text: &str) {
    writeln!(out, "{text}").expect("a string takes text");
}

fn program(out: &mut String, program: &Program) {
    let expected = program.expected.as_ref().map_or(String::new(), |expected| format!(" as {:?}", expected.attach));
    line(out, &format!("program {} {:?}{expected}", program.name, program.kind));
    for attach in &program.attach {
        line(out, &format!("  at {attach:?}"));
    }
    assert_eq!(program.insns.len(), program.spans.len(), "every instruction has its place");
}

fn map_line(map: &MapSchema) -> String {
    let key = if map.is_scalar() { String::new() } else { format!("[{}]", fields(&map.key)) };
    let kind = match &map.kind {
        ValueKind::Value(ty) => self::ty(ty),
        kind => format!("{kind:?}"),
    };
    let cpus = if map.per_cpu { ", per CPU" } else { "" };
    format!("map {}{key} = {kind} ({} -> {} bytes{cpus})", map.name, map.key_size, map.value_size)
}

fn event_line(event: &EventSchema) -> String {
    let what = match &event.kind {
        EventKind::Printf { to, format, args } => format!("printf to {to:?} {format:?} with {}", fields(args)),
        EventKind::PrintValue(field) => format!("print {}", self::field(field)),
        kind => format!("{kind:?}"),
    };
    format!("event {what} ({} bytes)", event.size)
}

fn fields(fields: &[Field]) -> String {
    let fields: Vec<String> = fields.iter().map(field).collect();
    fields.join(", ")
}

fn field(field: &Field) -> String {
    format!("{} at {}", ty(&field.ty), field.offset)
}

fn ty(ty: &Type) -> String {
    match ty {
        Type::Int { bytes, signed } => format!("{}int{}", if *signed { "" } else { "u" }, bytes * 8),
        Type::Str { size } => format!("string[{size}]"),
        Type::Tuple(items) => format!("({})", fields(items)),
        other => format!("{other:?}"),
    }
}
