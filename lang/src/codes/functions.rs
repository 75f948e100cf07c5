//! E05xx: calls of functions.

use super::Code;

pub(super) const FUNCTIONS: &[Code] = &[
    Code {
        code: "E0501",
        title: "wrong number of arguments",
        explanation: "The function takes another number of arguments. The help shows how it is called.",
    },
    Code {
        code: "E0502",
        title: "function not allowed",
        explanation: "The function changes the system it runs on: it sends signals, runs commands or writes to memory. \
                      Such functions must be allowed, with --unsafe or by the TracePolicy of the namespace.",
    },
    Code {
        code: "E0503",
        title: "argument is no constant",
        explanation: "The function needs to know this argument before the script runs, so it must be a number or \
                      string in the script or a parameter.",
    },
    Code {
        code: "E0504",
        title: "argument is no address",
        explanation: "The function reads memory, so it needs a number or pointer that says where.",
    },
    Code {
        code: "E0505",
        title: "argument is no map",
        explanation: "The function works on a map, which is named with its sigil: @name, or @name[key] where it works \
                      on one element.",
    },
    Code {
        code: "E0506",
        title: "wrong bits of hist",
        explanation: "The second argument of hist says how many buckets, as a power of two, each power of two is \
                      divided into.",
    },
    Code {
        code: "E0507",
        title: "wrong bounds of lhist",
        explanation: "lhist(value, min, max, step) needs min below max, a step of at least 1, and at most 1000 buckets \
                      in between.",
    },
    Code {
        code: "E0508",
        title: "exit inside of a loop",
        explanation: "exit ends the whole script and cannot be called from inside of a loop; set a variable and call \
                      it after the loop.",
    },
    Code {
        code: "E0509",
        title: "cannot be printed",
        explanation: "A value of this type has no printed form. Print its parts.",
    },
    Code {
        code: "E0510",
        title: "wrong format",
        explanation: "The format string of printf and its kin does not follow its rules: a conversion is %, flags, \
                      width, precision, size and one of d i u o x X c s p r (rx, rh).",
    },
    Code {
        code: "E0511",
        title: "values do not match the format",
        explanation: "There must be exactly one value after the format for each of its conversions; %% stands for a \
                      percent sign.",
    },
    Code {
        code: "E0512",
        title: "conversion for another type",
        explanation: "This conversion does not print values of this type. %s prints any.",
    },
    Code {
        code: "E0513",
        title: "wrong use of print",
        explanation: "print(value) prints a value, print(@m) a map, print(@m, top, div) the largest elements of a map \
                      with a key, divided; the two numbers are constants and not negative.",
    },
    Code {
        code: "E0514",
        title: "wrong use of kstack or ustack",
        explanation: "The arguments are a mode (bpftrace, perf, raw) and the most frames, in this order; both may be \
                      left out.",
    },
    Code {
        code: "E0515",
        title: "unknown kernel symbol",
        explanation: "kaddr gives the address of a function or variable of the kernel, and this node's kernel has none \
                      of this name in /proc/kallsyms. Variables are listed there only where the kernel was built with \
                      CONFIG_KALLSYMS_ALL.",
    },
    Code {
        code: "E0516",
        title: "unknown register",
        explanation: "reg names a register as the node's architecture does; the help lists them.",
    },
    Code {
        code: "E0517",
        title: "unknown clock",
        explanation: "nsecs counts by the clock boot, which goes on while the machine is suspended, or monotonic, \
                      which does not.",
    },
    Code {
        code: "E0518",
        title: "not an IP address",
        explanation: "pton reads an IP address in its usual form: 127.0.0.1 or ::1.",
    },
    Code {
        code: "E0519",
        title: "unknown signal",
        explanation: "A signal is a number from 1 to 64 or a name such as SIGSTOP.",
    },
    Code {
        code: "E0520",
        title: "wrong value of a parameter",
        explanation: "getopt gives a parameter the type of its default, and what was given as --name=value on the \
                      command line or in the TraceJob's args cannot be read as that. Flags take true, false, 1, 0 or \
                      no value.",
    },
    Code {
        code: "E0521",
        title: "length missing",
        explanation: "How much buf reads from an address must be said; only an array has a length of its own.",
    },
    Code {
        code: "E0522",
        title: "refused by the script itself",
        explanation: "The script says with fail or static_assert what it cannot be run with, and that is the case. The message \
                      is the script's own.",
    },
    Code {
        code: "E0523",
        title: "wrong time series",
        explanation: "tseries takes the length of its intervals in nanoseconds, as in 100ms, and how many of the last ones are kept, both \
                      constants of at least 1; a per-CPU value of the kernel has room for 1300. What becomes of several \
                      values of one interval is said by avg, max, min or sum; without, the last one stays.",
    },
    Code {
        code: "E0524",
        title: "unknown pid namespace",
        explanation: "A process has one id in each pid namespace it is seen from: curr_ns is the namespace of whoever traces, init the \
                      node's first.",
    },
    Code {
        code: "E0525",
        title: "wrong length of what is written",
        explanation: "write_user writes a constant number of bytes, no more than its data has.",
    },
    Code {
        code: "E0526",
        title: "unknown cgroup",
        explanation: "cgroupid gives the id of a cgroup by the folder it is in the file system cgroup2, and this node has \
                      none there. Cgroups of version 1 have no ids.",
    },
    Code {
        code: "E0527",
        title: "stacks cannot be followed by tables",
        explanation: "dw_ustack has the program itself follow the process's stack, by tables of what compilers leave for exceptions. \
                      That needs x86-64 and Linux 5.17 with its types (BTF), and finds addresses, no build ids.",
    },
    Code {
        code: "W0501",
        title: "meant for debugging only",
        explanation: "debugf prints to the kernel's trace buffer, which all of the machine's tracing shares.",
    },
    Code {
        code: "W0502",
        title: "a map printed in a loop",
        explanation: "print() of a map only asks for it to be printed, a moment later. Each of the turns asks again, and all of them \
                      may print what the map holds after the last one.",
    },
];
