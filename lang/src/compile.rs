//! The whole pipeline: a parsed script and a target in, programs and a schema out.

use bpf::program::AttachType;

use crate::ast::Script;
use crate::compiled::{Attach, Compiled, Expected, Program};
use crate::config::Config;
use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::emit::{EmitError, emit};
use crate::expand::{Context, Site, expand};
use crate::hir;
use crate::import;
use crate::lower::{Resources, Unit, bodies, lower};
use crate::macros;
use crate::options::Options;
use crate::passes::improve;
use crate::target::{Target, TypesOf};
use crate::types::Space;

/// Compiles a script for a node. `src` is the text `script` was parsed from.
///
/// # Errors
/// All findings, warnings included, when one of them is an error.
pub fn compile(src: &str, script: &Script, target: &Target, options: &Options) -> Result<Compiled, Vec<Diagnostic>> {
    let mut diagnostics = Diagnostics::default();
    let (config, program) = checked(script, target, options, &mut diagnostics);
    if diagnostics.has_errors() {
        return Err(diagnostics.into_sorted());
    }
    let unit = Unit { src, program: &program, target, config: &config, options };
    let mut resources = Resources::new(&unit, &mut diagnostics);
    let programs = if diagnostics.has_errors() { vec![] } else { programs(unit, &mut resources, &mut diagnostics) };
    if diagnostics.has_errors() {
        return Err(diagnostics.into_sorted());
    }
    let (maps, schema) = resources.finish();
    Ok(Compiled { programs, maps, schema, warnings: diagnostics.into_sorted(), settings: config.settings() })
}

/// Finds what is wrong with a script, without making code. With [`Target::generic`] what only a node can tell is taken to be right.
pub fn check(_src: &str, script: &Script, target: &Target, options: &Options) -> Vec<Diagnostic> {
    let mut diagnostics = Diagnostics::default();
    checked(script, target, options, &mut diagnostics);
    diagnostics.into_sorted()
}

/// A script's settings, and what it means: its macros and its attach points expanded, and checked.
pub(crate) fn checked(
    script: &Script,
    target: &Target,
    options: &Options,
    diagnostics: &mut Diagnostics,
) -> (Config, hir::Program) {
    if let Some(unread) = import::unread(script) {
        diagnostics.push(unread);
    }
    let script = &*macros::expand(script, diagnostics);
    let config = Config::resolve(&script.config, target.features, options, diagnostics);
    let groups = expand(script, target, options, &config, diagnostics);
    if script.probes.is_empty() {
        let message = "the script has no probe";
        diagnostics.push(
            Diagnostic::error("E0407", crate::span::Span::default(), message)
                .help("a probe says where to attach and what to do there: `begin { printf(\"hello\\n\"); }`"),
        );
    }
    let program = crate::check::check(script, &groups, target, options, &config, diagnostics);
    (config, program)
}

fn programs(unit: Unit<'_>, resources: &mut Resources, diagnostics: &mut Diagnostics) -> Vec<Program> {
    let mut programs = vec![];
    for (index, probe, partner) in bodies(&unit.program.probes, unit.target) {
        let mut functions = lower(unit, probe, partner, resources, diagnostics);
        if diagnostics.has_errors() {
            continue;
        }
        functions.iter_mut().for_each(improve);
        let Some(first) = probe.sites.first() else { continue };
        match emit(&functions) {
            Ok(code) => programs.push(Program {
                name: program_name(index, first),
                kind: first.context.program_type(),
                expected: match partner {
                    Some(_) => untyped(AttachType::KprobeSession),
                    None => expected(probe, unit),
                },
                insns: code.insns,
                relocations: code.relocations,
                spans: code.spans,
                functions: code.functions,
                attach: sites(probe).chain(partner.into_iter().flat_map(sites)).collect(),
            }),
            Err(error) => diagnostics.push(too_large(probe, &error)),
        }
    }
    programs
}

fn sites(probe: &hir::Probe) -> impl Iterator<Item = Attach> {
    probe.sites.iter().map(|site| site.attach.clone())
}

fn untyped(attach: AttachType) -> Option<Expected> {
    Some(Expected { attach, type_id: 0, of: TypesOf::Kernel })
}

/// How a probe's program attaches, where that is to be said when it is loaded.
fn expected(probe: &hir::Probe, unit: Unit<'_>) -> Option<Expected> {
    let Unit { target, options, .. } = unit;
    match &probe.sites.first()?.context {
        Context::Function(function) => {
            let attach = if function.ret { AttachType::TraceFexit } else { AttachType::TraceFentry };
            let (source, ty) = target.btf.as_ref().map_or((0, function.ty), |btf| btf.origin(function.ty));
            let of = source.checked_sub(1).and_then(|added| target.added_types.get(added)).cloned().unwrap_or_default();
            Some(Expected { attach, type_id: ty.0, of })
        }
        Context::Raw { event, typed: true } => {
            let btf = target.btf.as_ref()?;
            let (source, ty) = btf.origin(btf.find_typedef(&format!("btf_trace_{event}"))?);
            let of = source.checked_sub(1).and_then(|added| target.added_types.get(added)).cloned().unwrap_or_default();
            Some(Expected { attach: AttachType::TraceRawTp, type_id: ty.0, of })
        }
        Context::Iter { record } => {
            let function = target.btf.as_ref()?.find_func(&record.replacen("__", "_", 1))?;
            Some(Expected { attach: AttachType::TraceIter, type_id: function.0, of: TypesOf::Kernel })
        }
        Context::Entry { space: Space::Kernel, .. } | Context::Return { space: Space::Kernel, .. } => {
            let whole = |site: &Site| !matches!(site.attach, Attach::Kprobe { offset: 1.., .. });
            // One function too costs less per event that way, where the kernel is known to trace it.
            let fits = probe.sites.len() > 1 || probe.sites.iter().all(|site| is_listed(target, &site.attach));
            let many = target.features.kprobe_multi && fits && probe.sites.iter().all(whole);
            many.then(|| untyped(AttachType::KprobeMulti))?
        }
        // In one process alone the other way disturbs nobody else, but takes a descriptor and some time for each place.
        Context::Entry { .. } | Context::Return { .. } | Context::Marker { .. } => {
            let few = options.pid.is_some() && probe.sites.len() <= FEW_PLACES;
            (target.features.uprobe_multi && !few).then(|| untyped(AttachType::UprobeMulti))?
        }
        _ => None,
    }
}

/// Whether a point is at a function that ftrace lists, by its name.
fn is_listed(target: &Target, point: &Attach) -> bool {
    let (Attach::Kprobe { function, .. } | Attach::Kretprobe { function }) = point else { return false };
    target.functions.contains_key(function) && !target.untraceable.contains(function)
}

/// Up to how many places in one process are attached to one by one: each takes a descriptor, and milliseconds to detach.
const FEW_PLACES: usize = 1;

fn too_large(probe: &hir::Probe, error: &EmitError) -> Diagnostic {
    let span = error.span().unwrap_or(probe.span);
    let (code, help) = match error {
        EmitError::Stack { .. } => ("E0801", "keep fewer or smaller values at once, or split the probe"),
        EmitError::TooFar { .. } => ("E0802", "split the probe, or unroll fewer times"),
        EmitError::Registers | EmitError::Broken(_) => ("E0803", "this is a fault of the compiler; please report it"),
    };
    Diagnostic { severity: Severity::Error, ..Diagnostic::error(code, span, error.to_string()).help(help) }
}

/// What a program is called in the kernel, after its first attach point and its place in the script: `kprobe_vfs_read_1`.
fn program_name(index: usize, first: &Site) -> String {
    let written = match first.attach {
        Attach::Interval { nanoseconds } if nanoseconds % 1_000 == 0 => format!("interval:us:{}", nanoseconds / 1_000),
        _ => first.name.to_string(),
    };
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let name: String = written.chars().take(LONGEST_NAME).map(plain).collect();
    format!("{name}_{}", index + 1)
}

/// How much of an attach point goes into a name: the kernel takes names of up to 127 characters (`KSYM_NAME_LEN`, before 6.1).
const LONGEST_NAME: usize = 100;
