//! The whole pipeline: a parsed script and a target in, programs and a schema out.

use crate::ast::Script;
use crate::compiled::{Compiled, Program};
use crate::config::Config;
use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::emit::{EmitError, emit};
use crate::expand::{Group, expand};
use crate::hir;
use crate::lower::{Resources, Unit, lower};
use crate::macros;
use crate::options::Options;
use crate::passes::improve;
use crate::target::Target;

/// Compiles a script for a node. `src` is the text `script` was parsed from.
///
/// # Errors
/// All findings, warnings included, when one of them is an error.
pub fn compile(src: &str, script: &Script, target: &Target, options: &Options) -> Result<Compiled, Vec<Diagnostic>> {
    let mut diagnostics = Diagnostics::default();
    let script = &*macros::expand(script, &mut diagnostics);
    let config = Config::resolve(&script.config, options, &mut diagnostics);
    let groups = expand(script, target, options, &config, &mut diagnostics);
    let program = check_groups(script, &groups, target, options, &config, &mut diagnostics);
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
    let script = &*macros::expand(script, &mut diagnostics);
    let config = Config::resolve(&script.config, options, &mut diagnostics);
    let groups = expand(script, target, options, &config, &mut diagnostics);
    check_groups(script, &groups, target, options, &config, &mut diagnostics);
    diagnostics.into_sorted()
}

fn check_groups(
    script: &Script,
    groups: &[Group<'_>],
    target: &Target,
    options: &Options,
    config: &Config,
    diagnostics: &mut Diagnostics,
) -> hir::Program {
    if script.probes.is_empty() {
        let message = "the script has no probe";
        diagnostics.push(
            Diagnostic::error("E0407", crate::span::Span::default(), message)
                .help("a probe says where to attach and what to do there: `begin { printf(\"hello\\n\"); }`"),
        );
    }
    crate::check::check(script, groups, target, options, config, diagnostics)
}

fn programs(unit: Unit<'_>, resources: &mut Resources, diagnostics: &mut Diagnostics) -> Vec<Program> {
    let mut programs = vec![];
    for (index, probe) in unit.program.probes.iter().enumerate() {
        let mut function = lower(unit, probe, resources, diagnostics);
        if diagnostics.has_errors() {
            continue;
        }
        improve(&mut function);
        let Some(first) = probe.sites.first() else { continue };
        match emit(&function) {
            Ok(code) => programs.push(Program {
                name: kernel_name(index, &first.name),
                kind: first.context.program_type(),
                btf_target: None,
                insns: code.insns,
                relocations: code.relocations,
                spans: code.spans,
                attach: probe.sites.iter().map(|site| site.attach.clone()).collect(),
            }),
            Err(error) => diagnostics.push(too_large(probe, &error)),
        }
    }
    programs
}

fn too_large(probe: &hir::Probe, error: &EmitError) -> Diagnostic {
    let span = error.span().unwrap_or(probe.span);
    let (code, help) = match error {
        EmitError::Stack { .. } => ("E0801", "keep fewer or smaller values at once, or split the probe"),
        EmitError::TooFar { .. } => ("E0802", "split the probe, or unroll fewer times"),
        EmitError::Registers | EmitError::Broken(_) => ("E0803", "this is a fault of the compiler; please report it"),
    };
    Diagnostic { severity: Severity::Error, ..Diagnostic::error(code, span, error.to_string()).help(help) }
}

/// What `bpftool prog` shows: the provider and where its name ends, within 15 characters.
fn kernel_name(index: usize, name: &str) -> String {
    let last = name.rsplit(':').next().unwrap_or(name);
    let plain = last.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '_' });
    let mut text: String = format!("p{index}_").chars().chain(plain).collect();
    text.truncate(15);
    text
}
