//! Which kinds of probes this machine can serve, and what stands in the way of the others.
//!
//! Each kind is tried out, as far as that costs next to nothing; versions are never asked. `bpfleet check --node-report` prints it, and an
//! agent logs it when it starts.

use std::fmt::Write;
use std::io;

use ::bpf::btf::Btf;
use lang::target::Features;

use crate::attach::source;
use crate::preflight;
use crate::sys::perf::{self, Counter, Rate};
use crate::target::{self, features};
use crate::tracefs;

/// One kind of probe on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind {
    /// As scripts call it.
    pub name: &'static str,
    /// How it is served, or why it is not.
    pub answer: Result<String, String>,
}

/// What was found out about this machine.
struct Node {
    features: Features,
    btf: bool,
    iterators: bool,
    /// What this process lacks for any probe at all.
    lacking: Option<String>,
}

/// Every kind of probe, in name order.
pub fn kinds() -> Vec<Kind> {
    let btf = target::kernel_types().ok().flatten();
    let node = Node::of(btf.as_deref());
    let kind = |name: &'static str| Kind { name, answer: node.answer(name) };
    lang::provider::names().into_iter().map(kind).collect()
}

/// The report as a table: kind, yes or no, how or why not.
pub fn text(kinds: &[Kind]) -> String {
    let mut text = String::new();
    for Kind { name, answer } in kinds {
        let (word, more) = match answer {
            Ok(how) => ("yes", how),
            Err(why) => ("no", why),
        };
        // Writing to a string does not fail.
        let _ = writeln!(text, "{}", format!("{name:<14} {word:<4} {more}").trim_end());
    }
    text
}

impl Node {
    fn of(btf: Option<&Btf>) -> Self {
        let lacking = preflight::missing().first().map(|missing| format!("{missing}: {}", missing.remedy()));
        Self {
            features: features::everything(btf),
            btf: btf.is_some(),
            iterators: btf.is_some_and(features::has_iterators),
            lacking,
        }
    }

    fn answer(&self, name: &str) -> Result<String, String> {
        if let Some(lacking) = &self.lacking {
            return Err(lacking.clone());
        }
        match name {
            "tracepoint" => tracefs::root().map(|_| String::new()).map_err(|error| error.to_string()),
            "kprobe" | "kretprobe" => self.by_address(name),
            "fentry" | "fexit" => self.by_types(name),
            "uprobe" | "uretprobe" | "usdt" => self.in_programs(),
            "interval" | "profile" => opened(perf::clock(Rate::Hertz(1), first_cpu())),
            "software" => opened(perf::counter(Counter::Software, 0, 1_000_000, Some(first_cpu()), None)),
            "hardware" => opened(perf::counter(Counter::Hardware, 0, 1_000_000, Some(first_cpu()), None))
                .map_err(|why| format!("the processor counts no events here, as in many virtual machines ({why})")),
            "watchpoint" => watchpoint(),
            "iter" if !self.btf => Err(NO_TYPES.to_owned()),
            "iter" if !self.iterators => Err("the kernel has no iterators for programs (5.8)".to_owned()),
            _ => Ok(String::new()),
        }
    }

    fn by_address(&self, name: &str) -> Result<String, String> {
        let many =
            if self.features.kprobe_multi { "many functions with one link" } else { "one link for each function" };
        match (self.features.kprobe, self.features.fentry) {
            (true, _) => Ok(many.to_owned()),
            (false, true) => Ok(format!("as {}", if name == "kprobe" { "fentry" } else { "fexit" })),
            (false, false) => Err("the kernel has no kprobes (CONFIG_KPROBES is off)".to_owned()),
        }
    }

    fn by_types(&self, name: &str) -> Result<String, String> {
        if self.features.fentry {
            return Ok(String::new());
        }
        if self.features.kprobe && self.btf {
            return Ok(format!("as {}", if name == "fentry" { "kprobe" } else { "kretprobe" }));
        }
        if !self.btf {
            return Err(NO_TYPES.to_owned());
        }
        Err("the kernel refuses programs with types for functions (5.5, and no lockdown)".to_owned())
    }

    fn in_programs(&self) -> Result<String, String> {
        if self.features.uprobe_multi {
            return Ok("many places with one link".to_owned());
        }
        match source::find("uprobe") {
            Ok(_) => Ok("one link for each place".to_owned()),
            Err(_) => Err("the kernel has no uprobes (CONFIG_UPROBE_EVENTS is off)".to_owned()),
        }
    }
}

const NO_TYPES: &str = "the kernel does not tell its types (CONFIG_DEBUG_INFO_BTF is off)";

fn first_cpu() -> u32 {
    source::first_cpu().unwrap_or(0)
}

fn opened<T>(event: io::Result<T>) -> Result<String, String> {
    event.map(|_| String::new()).map_err(|error| error.to_string())
}

/// Watches a word of this very process.
fn watchpoint() -> Result<String, String> {
    let word = 0u64;
    let address = std::ptr::from_ref(&word) as u64;
    let own = std::process::id();
    opened(perf::watchpoint(address, 8, 2, None, Some(own)))
        .map_err(|why| format!("the processor lends no debug register here ({why})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(features: Features, btf: bool) -> Node {
        Node { features, btf, iterators: btf, lacking: None }
    }

    #[test]
    fn one_way_of_attaching_to_functions_stands_in_for_the_other() {
        let kprobes = node(Features { kprobe: true, ..Features::default() }, true);
        assert_eq!(kprobes.answer("fexit"), Ok("as kretprobe".to_owned()));
        assert_eq!(kprobes.answer("kprobe"), Ok("one link for each function".to_owned()));
        let types = node(Features { fentry: true, ..Features::default() }, true);
        assert_eq!(types.answer("kprobe"), Ok("as fentry".to_owned()));
        assert_eq!(types.answer("fentry"), Ok(String::new()));
    }

    #[test]
    fn what_stands_in_the_way_is_named() {
        let bare = node(Features::default(), false);
        assert!(bare.answer("kprobe").unwrap_err().contains("CONFIG_KPROBES"));
        assert!(bare.answer("iter").unwrap_err().contains("CONFIG_DEBUG_INFO_BTF"));
        let denied = Node { lacking: Some("this process lacks CAP_BPF".to_owned()), ..bare };
        assert_eq!(denied.answer("begin"), Err("this process lacks CAP_BPF".to_owned()));
    }

    #[test]
    fn every_kind_of_probe_has_its_line() {
        let kinds = kinds();
        assert_eq!(text(&kinds).lines().count(), lang::provider::names().len());
        assert!(text(&kinds).lines().all(|line| line.contains(" yes") || line.contains(" no ")), "{}", text(&kinds));
    }
}
