//! E03xx: types of values.

use super::Code;

pub(super) const TYPES: &[Code] = &[
    Code {
        code: "E0301",
        title: "wrong kind of value",
        explanation: "What stands here must be of the kind the message names: a condition is an integer or a pointer, \
                      arithmetic takes integers.",
    },
    Code {
        code: "E0302",
        title: "no value",
        explanation: "The function called here does something and gives nothing back, so there is nothing to assign or \
                      compare.",
    },
    Code {
        code: "E0303",
        title: "string too long",
        explanation: "A string constant with its closing NUL must fit into max_strlen bytes, the size of every string \
                      that has no other.",
    },
    Code {
        code: "E0304",
        title: "not for a tuple",
        explanation: "Tuples and records hold values that can be copied: aggregates stay in their map, and what has no \
                      value cannot be held.",
    },
    Code {
        code: "E0305",
        title: "cannot be counted",
        explanation: "++ and -- take integers, and this variable or map holds something else.",
    },
    Code {
        code: "E0306",
        title: "sides of different types",
        explanation: "The two results of a ternary or of an if with a value must have one type in common. Cast one of \
                      them, or turn both into strings.",
    },
    Code {
        code: "E0307",
        title: "if without else",
        explanation: "An if that stands for a value needs a value for both outcomes, so it needs an else.",
    },
    Code {
        code: "E0308",
        title: "division by zero",
        explanation: "This divides two constants, and the second is zero.",
    },
    Code {
        code: "E0309",
        title: "constant out of range",
        explanation: "The result of this arithmetic on constants does not fit into 64 bits.",
    },
    Code {
        code: "E0310",
        title: "operator for other types",
        explanation: "The operator does not take values of these two types. Arithmetic and bit operations take \
                      integers, + and - also a pointer on their left; strings, arrays and tuples can only be compared, \
                      with == and !=, to their own kind.",
    },
    Code {
        code: "E0311",
        title: "sign for another type",
        explanation: "-, ! and ~ take integers; ! also takes pointers.",
    },
    Code {
        code: "E0312",
        title: "not a pointer",
        explanation: "* reads what a pointer points to, and this value is none. Cast it: *(uint64 *)x.",
    },
    Code {
        code: "E0313",
        title: "points to an unknown type",
        explanation: "What this pointer points to has no type, so it is not known how much to read. Cast the pointer \
                      to a pointer to the type it has.",
    },
    Code {
        code: "E0314",
        title: "no such component",
        explanation: "The parts of a tuple are named .0, .1 and so on below its length, those of a record by their \
                      names, and an index into a tuple must be a constant.",
    },
    Code {
        code: "E0315",
        title: "value without fields",
        explanation: "Only structs, unions, pointers to them, tuples, records and args have fields. Cast an address to \
                      what it points to: ((struct task_struct *)arg0)->pid.",
    },
    Code {
        code: "E0316",
        title: "unknown field",
        explanation: "The struct, union or tracepoint has no field of this name on this node. Kernels differ: look at \
                      bpfleet probes -v or at the BTF of the node.",
    },
    Code {
        code: "E0317",
        title: "index out of range",
        explanation: "The array or string is shorter than this constant index.",
    },
    Code {
        code: "E0318",
        title: "value without elements",
        explanation: "Only arrays, pointers, strings, tuples and maps with a key have elements.",
    },
    Code {
        code: "E0319",
        title: "cannot be cast",
        explanation: "There is no sense in turning the one type into the other: integers, pointers and enums can be \
                      cast to each other, and byte arrays to integers of the same size.",
    },
    Code {
        code: "E0320",
        title: "length is no constant",
        explanation: "The length of an array type must be a constant.",
    },
    Code {
        code: "E0321",
        title: "unknown type",
        explanation: "Neither the language nor the kernel's BTF nor the script has a type of this name.",
    },
    Code {
        code: "E0322",
        title: "no kernel types",
        explanation: "The type would come from the kernel's BTF, and this node's kernel has none \
                      (CONFIG_DEBUG_INFO_BTF).",
    },
    Code {
        code: "E0323",
        title: "definition not understood",
        explanation: "A script may define structs, unions, enums and typedefs as C does, of types that are defined \
                      before them or that the kernel has. Functions, variables and templates are none of it.",
    },
    Code {
        code: "E0325",
        title: "not known early enough",
        explanation: "comptime stands before what is to be known when the script is compiled: constants, and what the \
                      functions that look at types tell. What variables, maps and the kernel hold is known when it runs.",
    },
    Code {
        code: "E0324",
        title: "no address",
        explanation: "`&` gives the address of a variable, of what is reached through a pointer, or of a map, which is where the \
                      kernel describes it. A value that was calculated or that a map holds has none.",
    },
];
