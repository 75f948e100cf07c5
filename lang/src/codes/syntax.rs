//! E01xx: the form of the script.

use super::Code;

pub(super) const SYNTAX: &[Code] = &[
    Code {
        code: "E0101",
        title: "unknown character",
        explanation: "A character that no part of the language starts with, often a typographic quote or a dollar sign without \
                      a name that came along when the script was copied. Type the plain character instead, or put it in a \
                      string.",
    },
    Code {
        code: "E0102",
        title: "wrong string",
        explanation: "A string ends at the double quote on the line it starts on. Inside, a backslash starts an escape: \\n, \\t, \
                      \\r, \\\", \\\\, up to three octal digits, or x and up to two hexadecimal digits for any byte.",
    },
    Code {
        code: "E0103",
        title: "wrong number",
        explanation: "Integers are decimal, octal (0777), hexadecimal (0xff) or binary (0b101), may hold underscores between digits, \
                      may be written as 2e6 with one digit before the exponent, and may end in a suffix of C (u, l, ul, ll, ull) \
                      or a unit of time (ns, us, ms, s, m, h, d), which turns them into nanoseconds. They must fit into 64 bits. \
                      There are no fractions.",
    },
    Code {
        code: "E0104",
        title: "comment not closed",
        explanation: "A comment that starts with /* reaches to the next */, and this one has none, so the rest of the script is \
                      part of it.",
    },
    Code {
        code: "E0105",
        title: "nested too deeply",
        explanation: "Expressions, blocks and chains of operators may be nested 64 levels in the text and 256 levels in their \
                      tree. Give parts of the expression to scratch variables; replace a long chain of comparisons by a map \
                      that BEGIN fills and the probe looks up.",
    },
    Code {
        code: "E0106",
        title: "something else expected",
        explanation: "The script does not follow the grammar here. The message says what may stand at this place and what was \
                      found; the fault may lie just before it.",
    },
    Code {
        code: "E0107",
        title: "semicolon missing",
        explanation: "Statements are separated by semicolons; only after a closing brace and before one they may be left out.",
    },
    Code {
        code: "E0108",
        title: "bracket not closed",
        explanation: "A parenthesis, bracket or brace is opened and not closed where its contents end. The second place shows \
                      which one.",
    },
    Code {
        code: "E0109",
        title: "not a place to assign to",
        explanation: "Only scratch variables ($x) and maps (@x, @x[key]) can be assigned to. Tuples, records, structs and what \
                      pointers point to cannot be changed in part: make a new value and assign the whole.",
    },
    Code {
        code: "E0110",
        title: "wrong attach point",
        explanation: "A quoted part of an attach point is not a valid string.",
    },
    Code {
        code: "E0111",
        title: "wrong preprocessor line",
        explanation: "Lines that start with #include, #define, #undef, #if, #ifdef, #ifndef, #elif, #else, #endif or #error are \
                      directives as in C: conditions must balance and hold integers, names and operators only. Any other line \
                      that starts with # is a comment.",
    },
    Code {
        code: "E0112",
        title: "#define cannot be used here",
        explanation: "Where a name given by #define is used, its text must be one whole expression or type, and a #define with \
                      parameters must get as many arguments.",
    },
    Code {
        code: "E0113",
        title: "not a place to count",
        explanation: "++ and -- change what they stand at, so only scratch variables and maps can have them.",
    },
    Code {
        code: "E0114",
        title: "given twice",
        explanation: "A script has one config block, and a record has each of its fields once.",
    },
    Code {
        code: "E0115",
        title: "no such positional parameter",
        explanation: "Positional parameters count from $1; $# is their number.",
    },
    Code {
        code: "E0116",
        title: "out of order",
        explanation: "The config block and imports stand before map declarations, macros and probes.",
    },
    Code { code: "E0117", title: "script too large", explanation: "A script has at most 1 MiB of text." },
    Code {
        code: "E0118",
        title: "not part of the language",
        explanation: "The language has no functions of its own; a macro does what one would.",
    },
    Code {
        code: "E0119",
        title: "cannot be imported",
        explanation: "import takes other scripts (.bt) and their types (.h), by names relative to the file that imports, or a folder of \
                      them, and only where a script runs on one machine. They have no config block, and nobody but \
                      their owner may be able to replace them.",
    },
];
