//! E04xx: probes and what they attach to; W04xx with them.

use super::Code;

pub(super) const PROBES: &[Code] = &[
    Code {
        code: "E0401",
        title: "nothing to attach to",
        explanation: "No function, tracepoint or event on this node matches the attach point. It may belong to a \
                      module that is not loaded, be inlined, or have another name in this kernel. missing_probes = \
                      warn or ignore lets the rest of the script run.",
    },
    Code {
        code: "E0402",
        title: "wrong form of attach point",
        explanation: "The parts of the attach point, separated by colons, are not those its provider takes. The help \
                      shows its form.",
    },
    Code {
        code: "E0403",
        title: "unknown provider",
        explanation: "The word before the first colon says what kind of probe it is: tracepoint, kprobe, interval and \
                      so on, or one of their short names.",
    },
    Code {
        code: "E0404",
        title: "too many attach points",
        explanation: "A wildcard matches more places than max_probes allows. Attaching to thousands of places takes \
                      long and slows the node down.",
    },
    Code {
        code: "E0405",
        title: "too many programs",
        explanation: "The script needs more BPF programs than max_bpf_progs allows, mostly because a wildcard's places \
                      need programs of their own, as they do when the body reads probe or arguments of different \
                      types.",
    },
    Code {
        code: "E0406",
        title: "no kernel probes",
        explanation: "This node's kernel cannot probe its functions (CONFIG_KPROBES is off). A tracepoint often tells \
                      the same.",
    },
    Code {
        code: "E0407",
        title: "no probe",
        explanation: "A script needs at least one probe: what to attach to and, in braces, what to do there.",
    },
    Code {
        code: "E0408",
        title: "no instruction to attach to",
        explanation: "The address or offset lies outside of the function or of the program's code, or in the middle of an \
                      instruction, or no code was made from the line of the source. A breakpoint in the middle of something \
                      else would break the program.",
    },
    Code {
        code: "E0419",
        title: "a function of unknown length",
        explanation: "The symbol table does not say how long the function is, so that nothing tells whether a place lies in it. \
                      With --unsafe the probe attaches all the same.",
    },
    Code {
        code: "E0409",
        title: "nothing left to attach to",
        explanation: "Every attach point of the script is missing on this node, and missing_probes says to go on without.",
    },
    Code {
        code: "E0411",
        title: "unknown place of an argument",
        explanation: "The note about a static marker says where its arguments are in a way that is not known, such as a vector \
                      register or a variable of the program; or a function is handed an argument in a register that \
                      probes do not see, as numbers with a fraction are.",
    },
    Code {
        code: "W0402",
        title: "attached in another way",
        explanation: "This node's kernel cannot attach to functions in the way the script names (kprobes are off, or lockdown \
                      forbids programs with types). The probe attaches in the other way, which sees the same.",
    },
    Code {
        code: "W0403",
        title: "a probe without attach points",
        explanation: "None of the probe's attach points exists on this node, and missing_probes = warn lets the script run without \
                      it.",
    },
    Code {
        code: "W0404",
        title: "not known to be traceable",
        explanation: "The kernel does not list the function among those that can be traced: it may not exist, be inlined into its \
                      callers, or be marked as not to be traced.",
    },
    Code {
        code: "W0401",
        title: "nothing to attach to",
        explanation: "As E0401, but missing_probes = warn lets the script run without this attach point.",
    },
    Code {
        code: "E0418",
        title: "wrong filter of probes",
        explanation: "--probe-filter takes a regular expression: it is looked for in the whole name of each attach point, as in \
                      kprobe:vfs_read.",
    },
];
