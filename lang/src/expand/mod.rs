//! From attach points as written to concrete ones: wildcards resolved against the target, grouped by the program they need.
//!
//! Each provider expands its own attach points; [`group`] puts what comes out into programs.

mod group;

use std::rc::Rc;

use bpf::btf::TypeId;
use bpf::program::ProgramType;

use crate::ast::{AttachPoint, Probe, Script};
use crate::compiled::Attach;
use crate::config::{Config, MissingProbes};
use crate::ctype::Types;
use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::filter::Filter;
use crate::glob;
use crate::nearest::nearest;
use crate::options::Options;
use crate::provider::{self, MarkerArgument};
use crate::span::Span;
use crate::target::{Features, Target, TracepointFormat};
use crate::types::Space;
use crate::uses::Uses;

/// One concrete place a probe attaches to.
#[derive(Clone, Debug)]
pub struct Site {
    /// How.
    pub attach: Attach,
    /// What `probe` prints: the attach point in full.
    pub name: Rc<str>,
    /// What the program finds there.
    pub context: Context,
    /// The types of the program or library it is in, where they are known.
    pub types: Option<Types>,
}

/// What a program's context holds, as far as the probe reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Context {
    /// Nothing: `BEGIN`, `END`.
    Script,
    /// A tracepoint's raw form of which nothing is read.
    Plain,
    /// A tracepoint's record; the format is absent where nothing of it is read or the target does not know it.
    Record { format: Option<Rc<TracepointFormat>>, space: Space },
    /// `raw_syscalls:sys_enter` in its raw form: the registers, then the system call's number.
    SyscallEnter,
    /// `raw_syscalls:sys_exit` in its raw form: the registers, then the return value.
    SyscallExit,
    /// Many system calls in the raw form they share: their numbers and attach points' names.
    Syscalls { exit: bool, calls: Rc<[(u32, Rc<str>)]> },
    /// The arguments of a tracepoint's raw form, 8 bytes each; `typed` where the verifier is to know pointers among them by their types.
    Raw { event: String, typed: bool },
    /// The arguments of a kernel function and, at its return, what it returns: 8 bytes each, laid out by its types.
    Function(Rc<Function>),
    /// The registers where a static marker stands, and where its arguments are then.
    Marker { arguments: Rc<[MarkerArgument]> },
    /// The pointers that an iterator hands over, in the kernel's struct of this name.
    Iter { record: String },
    /// Registers at a function's entry; with the function's type where its arguments may go by their names.
    Entry { space: Space, typed: Option<Rc<Function>> },
    /// Registers at a function's return, as for its entry.
    Return { space: Space, typed: Option<Rc<Function>> },
    /// A timer's or counter's overflow.
    Overflow,
}

impl Context {
    /// What the kernel loads a program with this context as.
    pub fn program_type(&self) -> ProgramType {
        match self {
            Self::Script
            | Self::Plain
            | Self::SyscallEnter
            | Self::SyscallExit
            | Self::Syscalls { .. }
            | Self::Raw { typed: false, .. } => ProgramType::RawTracepoint,
            Self::Record { .. } => ProgramType::Tracepoint,
            Self::Entry { .. } | Self::Return { .. } | Self::Marker { .. } => ProgramType::Kprobe,
            Self::Function(_) | Self::Iter { .. } | Self::Raw { typed: true, .. } => ProgramType::Tracing,
            Self::Overflow => ProgramType::PerfEvent,
        }
    }
}

/// A function whose type is known: one of the kernel, attached to by it or not, or one of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// Its type, as the target numbers it.
    pub ty: TypeId,
    /// Whether the program runs when it returns.
    pub ret: bool,
}

/// Places that share one program.
#[derive(Clone, Debug)]
pub struct Group<'a> {
    /// The probe as written.
    pub probe: &'a Probe,
    /// At least one.
    pub sites: Vec<Site>,
}

/// The end of a help about what does not exist.
const MAY_BE_MISSING: &str = "; if it may be missing, set the 'missing_probes' config variable to 'warn'";

/// What a provider expands with.
pub struct Expand<'a> {
    /// The node.
    pub target: &'a Target,
    /// What the user said.
    pub options: &'a Options,
    /// What the probe reads.
    pub uses: Uses,
    /// Whether a program's function may be attached to behind what does nothing at its entry: where no probe of the script can tell.
    pub skips: bool,
    config: &'a Config,
    diagnostics: &'a mut Diagnostics,
    sites: Vec<Site>,
    /// What to do about the first pattern that stands for nothing.
    without_match: Option<String>,
    /// Whether an error was reported of a place.
    said_wrong: bool,
}

impl Expand<'_> {
    /// Adds a place.
    pub fn site(&mut self, attach: Attach, name: String, context: Context) {
        let types = match &attach {
            Attach::Uprobe { path, .. } => self.target.user_file(path).and_then(|file| file.types.clone()),
            _ => None,
        };
        self.sites.push(Site { attach, name: name.into(), context, types });
    }

    /// Reports what is wrong with an attach point.
    pub fn report(&mut self, diagnostic: Diagnostic) {
        self.said_wrong |= diagnostic.severity == Severity::Error;
        self.diagnostics.push(diagnostic);
    }

    /// Reports an attach point that is written in a way its provider does not know.
    pub fn malformed(&mut self, point: &AttachPoint, syntax: &str) {
        let message = format!("`{}` takes another form of attach point", point.provider.node);
        self.report(Diagnostic::error("E0402", point.span, message).help(format!("write `{syntax}`")));
    }

    /// Reports an attach point that does not exist on this node, as the script's settings want it. One that is a pattern may stand for
    /// nothing, as long as the probe has others.
    ///
    /// `help` says why that may be and what to do about it.
    pub fn missing(&mut self, point: &AttachPoint, what: &str, help: &str) {
        if !self.target.complete {
            return;
        }
        if point.parts.iter().any(|part| glob::is_pattern(&part.node)) {
            return self.without_match(what, help);
        }
        let help = match self.similar(point) {
            Some(similar) => format!("did you mean `{similar}`?"),
            None => format!("{help}{MAY_BE_MISSING}"),
        };
        match self.config.missing_probes {
            MissingProbes::Error => {
                self.report(Diagnostic::error("E0401", point.span, format!("No matches for {what}.")).help(help));
            }
            MissingProbes::Warn => {
                self.report(Diagnostic::warning("W0401", point.span, format!("No matches for {what}. Skipping.")));
            }
            MissingProbes::Ignore => {}
        }
    }

    /// Whether something else was probably meant.
    pub fn is_misspelt(&self, point: &AttachPoint) -> bool {
        self.similar(point).is_some()
    }

    /// What is called nearly as what an attach point names: all of its parts, or the last of them.
    fn similar(&self, point: &AttachPoint) -> Option<&str> {
        let parts: Vec<String> = (0..point.parts.len()).filter_map(|index| self.part(point, index)).collect();
        let similar = &self.target.similar;
        similar.get(&parts.join(":")).or_else(|| similar.get(parts.last()?)).map(String::as_str)
    }

    /// Warns that the kernel does not list a function as traceable.
    pub fn untraceable(&mut self, span: Span, name: &str) {
        if self.config.missing_probes != MissingProbes::Ignore {
            let message = format!(
                "{name} is not traceable (either non-existing, inlined, or marked as \"notrace\"); attaching to it will likely fail"
            );
            self.report(Diagnostic::warning("W0404", span, message));
        }
    }

    /// Warns that a function exists and that the kernel does not list it as traceable.
    pub fn unlisted(&mut self, span: Span, name: &str) {
        if self.config.missing_probes != MissingProbes::Ignore {
            let message = format!("{name} exists, but the kernel does not list it as traceable");
            let help = "it is marked \"notrace\", or is no ordinary function: a kprobe may be refused there";
            self.report(Diagnostic::warning("W0404", span, message).help(help));
        }
    }

    /// Notes an attach point that may stand for any number of places and stands for none: that is reported where the probe has no other.
    pub fn without_match(&mut self, what: &str, help: &str) {
        self.without_match.get_or_insert_with(|| format!("nothing is called {what}: {help}{MAY_BE_MISSING}"));
    }

    /// Reports a probe that is left without any place, where that has not been said yet.
    fn nothing_left(&mut self, probe: &Probe) {
        match (self.config.missing_probes, self.without_match.take()) {
            (MissingProbes::Error, Some(help)) if !self.said_wrong => {
                let span = probe.attach_points.first().map_or(probe.span, |point| point.span);
                self.report(Diagnostic::error("E0401", span, "Probe has no valid attach points.").help(help));
            }
            (MissingProbes::Warn, _) => {
                let message = "Probe has no valid attach points. It is being removed which may cause issues with program behavior.";
                self.report(Diagnostic::warning("W0403", probe.span, message));
            }
            _ => {}
        }
    }

    /// A part of an attach point, with `$1` and its kin replaced by what the user gave.
    pub fn part(&self, point: &AttachPoint, index: usize) -> Option<String> {
        Some(self.options.substituted(&point.parts.get(index)?.node))
    }
}

impl Features {
    /// Whether a program with this context can find out at run time which function it is attached to.
    pub fn knows_function(&self, context: &Context) -> bool {
        match context {
            Context::Entry { .. } => true,
            // `bpf_get_func_ip`: 5.15 for kernel functions (5.17 is what is asked for), 6.6 for those of programs.
            Context::Return { space: Space::User, .. } => self.uprobe_multi,
            Context::Return { .. } => self.bpf_loop,
            _ => false,
        }
    }
}

/// Expands every probe of a script, in its order.
pub fn expand<'a>(
    script: &'a Script,
    target: &Target,
    options: &Options,
    config: &Config,
    diagnostics: &mut Diagnostics,
) -> Vec<Group<'a>> {
    let mut groups = Vec::new();
    let mut places = 0;
    let skips = !script.probes.iter().any(|probe| Uses::of(script, probe).instruction);
    let Ok(filter) = Filter::new(options).map_err(|wrong| diagnostics.push(*wrong)) else { return groups };
    for probe in &script.probes {
        let uses = Uses::of(script, probe);
        let (sites, without_match, said_wrong) = (vec![], None, false);
        let mut expand = Expand { target, options, uses, skips, config, diagnostics, sites, without_match, said_wrong };
        for point in &probe.attach_points {
            let point = options.written_out(point);
            if filter.may_keep(&point, options) {
                of_point(&mut expand, &point);
            }
        }
        expand.sites.retain(|site| filter.keeps(site));
        places += expand.sites.iter().map(|site| site.attach.points()).sum::<usize>();
        if expand.sites.is_empty() {
            expand.nothing_left(probe);
        }
        let sites = expand.sites;
        group::group(probe, uses, target, sites, &mut groups);
    }
    if let Some(first) = script.probes.first().filter(|_| groups.is_empty() && !diagnostics.has_errors()) {
        diagnostics.push(
            Diagnostic::error("E0409", first.span, "No probes to attach")
                .help("nothing that the script names exists on this node: `bpfleet probes` lists what does"),
        );
    }
    check_limits(script, config, places, groups.len(), diagnostics);
    groups
}

fn of_point(expand: &mut Expand<'_>, point: &AttachPoint) {
    let name = &point.provider.node;
    match provider::find(name) {
        Some(provider) => (provider.expand)(expand, point),
        None => {
            let d = Diagnostic::error("E0403", point.provider.span, format!("unknown probe type `{name}`"));
            let names = provider::ALL.iter().flat_map(|p| std::iter::once(&p.name).chain(p.aliases)).copied();
            expand.report(match nearest(&name.to_ascii_lowercase(), names) {
                Some(near) => d.help(format!("did you mean `{near}`?")),
                None => d.help(format!("one of {}", provider::names().join(", "))),
            });
        }
    }
}

fn check_limits(script: &Script, config: &Config, places: usize, programs: usize, diagnostics: &mut Diagnostics) {
    let first = script.probes.first();
    let point = first.and_then(|probe| probe.attach_points.first());
    let span = point.map(|point| point.span).or(first.map(|probe| probe.span)).unwrap_or_default();
    if places > config.max_probes as usize {
        let message = format!("the script attaches to {places} places, more than max_probes = {}", config.max_probes);
        diagnostics.push(
            Diagnostic::error("E0404", span, message)
                .help("name fewer with a narrower wildcard, or raise `config = { max_probes = .. }`"),
        );
    }
    if programs > config.max_bpf_programs as usize {
        let limit = config.max_bpf_programs;
        // In bpftrace's words: programs look for them.
        let message = format!(
            "Your program is trying to generate more than {limit} BPF programs, which exceeds the current limit of {limit}"
        );
        diagnostics.push(Diagnostic::error("E0405", span, message).help(format!(
            "You can increase the limit through the BPFTRACE_MAX_BPF_PROGS environment variable.\n\
             It needs {programs}; `config = {{ max_bpf_progs = .. }}` raises the limit as well, a narrower wildcard needs fewer"
        )));
    }
}
