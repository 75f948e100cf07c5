//! The settings of a script: defaults, then its `config` block, then the user's overrides.
//!
//! One table lists every key. Values outside their range are diagnostics, unknown keys too.

use report::schema::StackMode;

use crate::ast::{ConfigItem, ConfigValue};
use crate::compiled::Settings;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::nearest::nearest;
use crate::options::Options;
use crate::span::Span;
use crate::target::Features;

/// The most bytes of a string where keys are short: two of them fit one, beside a name of a process and some numbers.
const SHORT_STRING: u32 = 200;

/// Every setting, resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The most bytes of a string, its NUL included.
    pub max_strlen: u32,
    /// The most elements of a map.
    pub max_map_keys: u32,
    /// The most attach points of a script.
    pub max_probes: u32,
    /// The most BPF programs of a script.
    pub max_bpf_programs: u32,
    /// The most bytes `cat` prints.
    pub max_cat_bytes: u32,
    /// How stacks print where the script does not say.
    pub stack_mode: StackMode,
    /// Printed after a string that was cut off.
    pub str_trunc_trailer: String,
    /// Whether maps print when the script ends.
    pub print_maps_on_exit: bool,
    /// What to do about an attach point that does not exist.
    pub missing_probes: MissingProbes,
    /// Bytes of the ring buffer; without it, what the script's events ask for.
    pub ring_buffer_bytes: Option<u32>,
    /// The map whose value `tseries` takes for the time.
    pub series_clock: Option<String>,
}

/// What happens when an attach point does not exist.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissingProbes {
    /// The script is refused.
    #[default]
    Error,
    /// A warning.
    Warn,
    /// Nothing.
    Ignore,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_strlen: 1024,
            max_map_keys: 4096,
            max_probes: 1024,
            max_bpf_programs: 1024,
            max_cat_bytes: 10240,
            stack_mode: StackMode::Bpftrace,
            str_trunc_trailer: "..".into(),
            print_maps_on_exit: true,
            missing_probes: MissingProbes::Error,
            ring_buffer_bytes: None,
            series_clock: None,
        }
    }
}

/// A key of the config block: its name, what it means, and how a value is taken over (`None`: not a value of it).
pub struct Key {
    /// As written in the block.
    pub name: &'static str,
    /// One sentence for the documentation.
    pub summary: &'static str,
    /// The values it takes, for messages and the documentation.
    pub values: &'static str,
    set: fn(&mut Config, &str) -> Option<()>,
}

/// The licenses with which the kernel lets a program call what is for GPL programs alone: include/linux/license.h.
const LICENSES: [&str; 6] =
    ["Dual MIT/GPL", "Dual BSD/GPL", "Dual MPL/GPL", "GPL and additional rights", "GPL v2", "GPL"];

/// Every key, in name order.
pub const KEYS: &[Key] = &[
    Key {
        name: "cache_user_symbols",
        summary: "How long user symbols are kept; bpfleet always keeps them per process.",
        values: "PER_PID, PER_PROGRAM or NONE",
        set: |_, v| matches!(v, "PER_PID" | "PER_PROGRAM" | "NONE").then_some(()),
    },
    Key {
        name: "cpp_demangle",
        summary: "Whether C++ symbols print demangled; bpfleet always demangles.",
        values: "true or false",
        set: |_, v| boolean(v).map(|_| ()),
    },
    Key {
        name: "dummy_ts_map",
        summary: "The map without key whose value `tseries` takes for the time, to try scripts out with.",
        values: "a map",
        set: |c, v| {
            c.series_clock = Some(v.to_owned());
            Some(())
        },
    },
    Key {
        name: "lazy_symbolication",
        summary: "When user stacks are symbolised; bpfleet does it when they are read.",
        values: "true or false",
        set: |_, v| boolean(v).map(|_| ()),
    },
    Key {
        name: "license",
        summary: "The license programs declare; the kernel functions bpfleet calls want GPL.",
        values: "Dual MIT/GPL, Dual BSD/GPL, Dual MPL/GPL, GPL and additional rights, GPL v2, GPL",
        set: |_, v| LICENSES.contains(&v).then_some(()),
    },
    Key {
        name: "log_size",
        summary: "Bytes of the verifier's log; bpfleet grows its buffer as needed.",
        values: "a number",
        set: |_, v| number(v).map(|_| ()),
    },
    Key {
        name: "max_bpf_progs",
        summary: "The most BPF programs of a script.",
        values: "a number",
        set: |c, v| number(v).map(|n| c.max_bpf_programs = n),
    },
    Key {
        name: "max_cat_bytes",
        summary: "The most bytes `cat` prints.",
        values: "a number",
        set: |c, v| number(v).map(|n| c.max_cat_bytes = n),
    },
    Key {
        name: "max_map_keys",
        summary: "The most elements of a map.",
        values: "a number, at least 1",
        set: |c, v| number(v).filter(|n| *n > 0).map(|n| c.max_map_keys = n),
    },
    Key {
        name: "max_probes",
        summary: "The most attach points of a script.",
        values: "a number",
        set: |c, v| number(v).map(|n| c.max_probes = n),
    },
    Key {
        name: "max_strlen",
        summary: "The most bytes of a string, the closing NUL included: 1024, before kernel 5.11 200, as keys have at most 512 there.",
        values: "a number from 1 to 32768",
        set: |c, v| number(v).filter(|n| (1..=32768).contains(n)).map(|n| c.max_strlen = n),
    },
    Key {
        name: "missing_probes",
        summary: "What to do about an attach point that does not exist.",
        values: "error, warn or ignore",
        set: |c, v| {
            c.missing_probes = match v {
                "error" => MissingProbes::Error,
                "warn" => MissingProbes::Warn,
                "ignore" => MissingProbes::Ignore,
                _ => return None,
            };
            Some(())
        },
    },
    Key {
        name: "on_stack_limit",
        summary: "The largest value kept on the BPF stack; bpfleet decides for itself.",
        values: "a number",
        set: |_, v| number(v).map(|_| ()),
    },
    Key {
        name: "perf_rb_pages",
        summary: "Pages of 4096 bytes of the buffer between kernel and reader, a power of two.",
        values: "a number from 1 to 65536",
        set: |c, v| {
            let pages = number(v).filter(|n| n.is_power_of_two() && *n <= 65536)?;
            c.ring_buffer_bytes = Some(pages * 4096);
            Some(())
        },
    },
    Key {
        name: "print_maps_on_exit",
        summary: "Whether maps print when the script ends.",
        values: "true or false",
        set: |c, v| boolean(v).map(|b| c.print_maps_on_exit = b),
    },
    Key {
        name: "show_debug_info",
        summary: "Whether stacks print files and lines where a binary has them.",
        values: "true or false",
        set: |_, v| boolean(v).map(|_| ()),
    },
    Key {
        name: "stack_mode",
        summary: "How stacks print where the script does not say.",
        values: "bpftrace, perf, raw or build_id",
        set: |c, v| stack_mode(v).map(|m| c.stack_mode = m),
    },
    Key {
        name: "str_trunc_trailer",
        summary: "Printed after a string that was cut off.",
        values: "a string",
        set: |c, v| {
            c.str_trunc_trailer = v.to_owned();
            Some(())
        },
    },
];

/// The stack mode called `name`.
pub fn stack_mode(name: &str) -> Option<StackMode> {
    Some(match name {
        "bpftrace" => StackMode::Bpftrace,
        "perf" => StackMode::Perf,
        "raw" => StackMode::Raw,
        "build_id" => StackMode::BuildId,
        _ => return None,
    })
}

fn number(text: &str) -> Option<u32> {
    text.parse().ok()
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

impl Config {
    /// What holds on a node where nothing is set.
    fn of(features: Features) -> Self {
        let default = Self::default();
        let max_strlen = if features.long_keys { default.max_strlen } else { SHORT_STRING };
        Self { max_strlen, ..default }
    }

    /// Applies a script's config block and the user's overrides to the defaults.
    pub fn resolve(items: &[ConfigItem], features: Features, options: &Options, diagnostics: &mut Diagnostics) -> Self {
        let mut config = Self::of(features);
        for item in items {
            let value = match &item.value.node {
                ConfigValue::Int(n) => n.to_string(),
                ConfigValue::Str(s) | ConfigValue::Word(s) => s.clone(),
            };
            let whole = item.key.span.to(item.value.span);
            diagnostics.extend(config.set(&item.key.node, &value, whole, item.value.span));
        }
        let nowhere = Span::default();
        for (key, value) in &options.settings {
            diagnostics.extend(config.set(key, value, nowhere, nowhere));
        }
        config
    }

    /// What of it acts at run time.
    pub fn settings(&self) -> Settings {
        Settings {
            print_maps_on_exit: self.print_maps_on_exit,
            max_cat_bytes: self.max_cat_bytes,
            cut_text_bytes: self.max_strlen.saturating_sub(1),
            str_trunc_trailer: self.str_trunc_trailer.clone(),
            missing_probes: self.missing_probes,
        }
    }

    /// Sets one key; what is wrong with it.
    fn set(&mut self, key: &str, value: &str, key_span: Span, value_span: Span) -> Option<Diagnostic> {
        let name = key.strip_prefix("BPFTRACE_").unwrap_or(key).to_ascii_lowercase();
        let Some(found) = KEYS.iter().find(|k| k.name == name) else {
            // Preview switches of bpftrace turn nothing on here: what works, works.
            if name.starts_with("unstable_") {
                return None;
            }
            let d = Diagnostic::error("E0701", key_span, format!("{key}: not a known configuration option"));
            return Some(match nearest(&name, KEYS.iter().map(|k| k.name)) {
                Some(near) => d.help(format!("did you mean `{near}`?")),
                None => d,
            });
        };
        if (found.set)(self, value).is_some() {
            return None;
        }
        Some(Diagnostic::error(
            "E0702",
            value_span,
            format!("Invalid value for {name}. Found: {value}. Valid values: {}", found.values),
        ))
    }
}
