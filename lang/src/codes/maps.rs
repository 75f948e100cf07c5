//! E06xx: maps, their keys and values.

use super::Code;

pub(super) const MAPS: &[Code] = &[
    Code {
        code: "E0601",
        title: "map with and without a key",
        explanation: "A map either has a key everywhere it is used or nowhere. A map as a whole, for print or clear, \
                      is named without its key.",
    },
    Code {
        code: "E0602",
        title: "key of another type",
        explanation: "All keys of a map have one type, decided by its first use: integers may widen and strings \
                      lengthen, but a number and a string are not keys of one map. Several keys, separated by commas, \
                      are a tuple and count as one type.",
    },
    Code {
        code: "E0603",
        title: "value of another type",
        explanation: "All values of a map have one type, decided by its first use. An aggregate such as count() and an \
                      assigned value do not mix, nor do two different aggregates.",
    },
    Code {
        code: "E0604",
        title: "map never assigned",
        explanation: "The map is read but nothing in the script puts a value into it, so there is nothing to read and \
                      no type.",
    },
    Code {
        code: "E0605",
        title: "aggregate not assigned",
        explanation: "count, sum, min, max, avg, stats, hist and lhist change an element of a map, so they stand to \
                      the right of one, as in @x = count().",
    },
    Code {
        code: "E0606",
        title: "aggregate with an operator",
        explanation: "An aggregate is changed by assigning the same function to it again, not by +=, ++ and their kin.",
    },
    Code {
        code: "E0607",
        title: "unknown kind of map",
        explanation: "A declared map is a hash, percpuhash, percpuarray, lruhash or percpulruhash.",
    },
    Code {
        code: "E0608",
        title: "wrong size of a map",
        explanation: "The number in a map's declaration is the most elements it may have: a constant above zero.",
    },
    Code {
        code: "E0609",
        title: "not for a key",
        explanation: "A key is compared byte by byte, so it must be a value that can be copied: no aggregate, nothing \
                      that has no value, no struct.",
    },
    Code {
        code: "E0610",
        title: "type of a map not known",
        explanation: "Nothing in the script says what the map holds: it is only read, or only assigned from itself.",
    },
    Code {
        code: "E0611",
        title: "key too large",
        explanation: "The key of a map takes at most 65536 bytes, 512 before Linux 5.11. Strings count with their full \
                      size: shorten them with str(p, length) or max_strlen.",
    },
    Code {
        code: "E0612",
        title: "no key given",
        explanation: "The map has a key, so delete must be told which element: delete(@m, key). clear(@m) removes all \
                      of them.",
    },
    Code {
        code: "E0613",
        title: "aggregate not readable on this kernel",
        explanation: "count, sum, min, max and avg are kept for each CPU. A program can read them all since Linux 5.19; \
                      printing a map works everywhere.",
    },
    Code {
        code: "E0614",
        title: "loop too long for this kernel",
        explanation: "A loop over a map, or over numbers that are known only when the script runs, needs Linux 5.17. Older \
                      kernels follow each turn of a loop before they load it, so its bounds must be constants and close. No \
                      kernel takes more than 8388608 turns.",
    },
    Code {
        code: "E0615",
        title: "not a map to loop over",
        explanation: "for ($kv : @map) visits the elements of a map with a key, one value each. A map without key has one \
                      value, and what hist, lhist and stats keep is not one value.",
    },
    Code {
        code: "W0601",
        title: "a map that is never used",
        explanation: "The script declares a map and does nothing with it: it is not created.",
    },
];
