//! E02xx: names, and where they may stand.

use super::Code;

pub(super) const NAMES: &[Code] = &[
    Code {
        code: "E0201",
        title: "unknown name",
        explanation: "A bare name is a builtin, a constant of a kernel enum, a name given by #define or, in a macro, a \
                      parameter. This one is none of them. Scratch variables start with a dollar sign, maps with an at \
                      sign.",
    },
    Code {
        code: "E0202",
        title: "unknown function",
        explanation: "No function, builtin or macro has this name. docs/language.md lists those there are.",
    },
    Code {
        code: "E0203",
        title: "undefined variable",
        explanation: "A scratch variable is read here that nothing has been assigned to before in this block or one \
                      around it. A variable lives in the block it was first assigned or declared in, and only for one \
                      event; what must last longer belongs in a map.",
    },
    Code {
        code: "E0204",
        title: "variable declared twice",
        explanation: "let makes a new variable, and this block has one of that name already. Assign to it without let, \
                      or choose another name.",
    },
    Code {
        code: "E0205",
        title: "type of a variable changed",
        explanation: "A scratch variable keeps the type it was first given; integers may widen and strings lengthen, \
                      but a number does not become a string. Use a second variable or a cast.",
    },
    Code {
        code: "E0206",
        title: "break or continue outside of a loop",
        explanation: "break and continue end or go on with the innermost for, while or unroll, and there is none \
                      around this one. return leaves the probe.",
    },
    Code {
        code: "E0207",
        title: "wrong count of unroll",
        explanation: "unroll copies its body as often as its count says, so the count must be a constant from 1 up to \
                      the limit the message names.",
    },
    Code {
        code: "E0208",
        title: "not a place to assign to",
        explanation: "Only scratch variables and maps can be assigned to or counted up and down.",
    },
    Code {
        code: "E0209",
        title: "not known in this probe",
        explanation: "args, arg0 and its kin, retval and func tell something about what the probe is attached to, and \
                      this kind of probe has no such thing. docs/language.md says which probes know which names.",
    },
    Code {
        code: "E0210",
        title: "fields not known",
        explanation: "The fields of a tracepoint come from its format file, those of a raw tracepoint and of a kernel \
                      function from the kernel's BTF, and this node has neither for it; those of a program's function come \
                      from its debug information, which is in the program or in a file beside it. Look at bpfleet \
                      probes -v for what is known.",
    },
    Code {
        code: "E0211",
        title: "wrong arguments of a macro",
        explanation: "A macro is called with as many arguments as it has parameters. A parameter written $x takes a \
                      variable, one written @m a map, and a bare name takes any expression.",
    },
    Code {
        code: "E0212",
        title: "endless macro",
        explanation: "The body of a macro is put in the place of each call, so a macro cannot call itself, neither \
                      directly nor through others, and calls inside of calls must not come to too much.",
    },
    Code {
        code: "E0213",
        title: "leaving from inside a value",
        explanation: "return and exit end the probe. Inside of a block that computes a value they would end it half way \
                      through whatever wants that value; put the block's statements before it.",
    },
    Code {
        code: "W0202",
        title: "a value that nobody takes",
        explanation: "The statement calculates a value and does nothing with it. Assign it, print it, or write _ = before it to \
                      throw it away on purpose.",
    },
    Code {
        code: "W0203",
        title: "a while loop",
        explanation: "while may go from the language: the kernel must be able to see that each loop ends, which is easier where a \
                      for loop runs over a range or a map.",
    },
    Code {
        code: "W0204",
        title: "a missing parameter",
        explanation: "The script reads $1, $2 .., and was started with fewer arguments. What is missing is 0 as a number and \
                      empty as a string.",
    },
    Code {
        code: "W0201",
        title: "a statement that is never reached",
        explanation: "exit(), return, break and continue leave the block at once: what stands behind them there is never done. \
                      Remove it, or put a condition around the statement before it.",
    },
];
