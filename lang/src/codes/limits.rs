//! E07xx: settings; E08xx: limits of the machine; E09xx: what is not there yet.

use super::Code;

pub(super) const LIMITS: &[Code] = &[
    Code {
        code: "E0701",
        title: "unknown setting",
        explanation: "The config block has settings of fixed names, lower case or as BPFTRACE_NAME. docs/language.md \
                      lists them.",
    },
    Code {
        code: "E0702",
        title: "wrong value of a setting",
        explanation: "The setting takes another kind of value, or one within other bounds.",
    },
    Code {
        code: "E0801",
        title: "stack too small",
        explanation: "A BPF program has a stack of 512 bytes, and the values this probe holds at once take more. Keep \
                      fewer or smaller values at once, or split the probe.",
    },
    Code {
        code: "E0802",
        title: "program too large",
        explanation: "A jump in the program is longer than an instruction can say. Split the probe, or unroll fewer \
                      times.",
    },
    Code {
        code: "E0803",
        title: "fault of the compiler",
        explanation: "The compiler made code that breaks its own rules. This is never the script's fault; please \
                      report it with the script.",
    },
    Code {
        code: "E0804",
        title: "refused by the kernel",
        explanation: "The kernel's verifier refused the program that was made of this part of the script. A script that \
                      compiles should load, so this is a fault of bpfleet, not of the script; please report it.",
    },
    Code {
        code: "E0805",
        title: "too much unrolled",
        explanation: "unroll copies its body, and nested ones multiply. What comes out would be longer than any kernel \
                      loads.",
    },
    Code {
        code: "E0901",
        title: "not supported yet",
        explanation: "The language has this, and bpfleet does not do it yet. It is refused so that no wrong result \
                      comes out.",
    },
];
