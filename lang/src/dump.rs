//! What a script is on its way to instructions, as text, for those who look into the compiler (`-d hir`, `-d ir`).

use std::fmt::Write;

use crate::ast::Script;
use crate::compile::checked;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::lower::{Resources, Unit, bodies, lower};
use crate::options::Options;
use crate::passes::improve_noting;
use crate::target::Target;

/// The stages between the syntax tree and instructions.
#[derive(Clone, Debug, Default)]
pub struct Stages {
    /// Every name resolved, every expression typed.
    pub hir: String,
    /// The low-level form of each program: as it was made, after each pass that changed it, and as instructions are made of it.
    pub ir: String,
}

/// The stages of a script that compiles. `src` is the text `script` was parsed from.
///
/// # Errors
/// All findings, when one of them is an error.
pub fn stages(src: &str, script: &Script, target: &Target, options: &Options) -> Result<Stages, Vec<Diagnostic>> {
    let mut diagnostics = Diagnostics::default();
    let (config, program) = checked(script, target, options, &mut diagnostics);
    if diagnostics.has_errors() {
        return Err(diagnostics.into_sorted());
    }
    let unit = Unit { src, program: &program, target, config: &config, options };
    let mut resources = Resources::new(&unit, &mut diagnostics);
    let mut stages = Stages { hir: program.to_string(), ir: String::new() };
    for (_, probe, partner) in bodies(&program.probes, target) {
        let name = probe.sites.first().map(|site| site.name.clone()).unwrap_or_default();
        for (index, mut function) in
            lower(unit, probe, partner, &mut resources, &mut diagnostics).into_iter().enumerate()
        {
            let part = if index == 0 { String::new() } else { format!(", function {index}") };
            let mut text = format!("{name}{part}, as made:\n{function}\n");
            improve_noting(&mut function, &mut |pass, function| {
                // A string takes everything.
                let _ = write!(text, "{name}{part}, after {pass}:\n{function}\n");
            });
            let _ = write!(text, "{name}{part}, in the end:\n{function}\n");
            stages.ir.push_str(&text);
        }
    }
    if diagnostics.has_errors() { Err(diagnostics.into_sorted()) } else { Ok(stages) }
}
