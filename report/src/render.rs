//! Snapshots and events as text, as JSON lines, as folded stacks.
//!
//! [`text`] and [`json`] print what bpftrace prints, byte for byte, apart from these differences, where bpftrace's own
//! output is wrong or says too little:
//!
//! * Rows whose values are narrower than 64 bits sort by value; bpftrace 0.26 and 0.27 leave them unsorted.
//! * min and max sort by their signedness; bpftrace sorts them as unsigned, so -4 comes last.
//! * Unsigned keys sort as unsigned, and keys of every type sort; bpftrace compares integers as signed and leaves
//!   pointers, symbols and stacks in the order of the kernel's hash table.
//! * Rows that sort equal stand in key order; bpftrace leaves their order to chance.
//! * A key that is a string in parentheses keeps them; bpftrace strips them as if it were a tuple.
//! * In JSON, bytes of a buffer are 0 to 255 and text outside ASCII stays UTF-8; bpftrace prints negative bytes and
//!   broken escapes.
//! * Bytes that are not UTF-8 print as U+FFFD in maps and JSON; `printf` passes them on as they are.
//! * `%+d`, `% d` and a precision (`%.3d`, `%.3s`) work as in C; bpftrace ignores the latter two. `%-05d` pads with
//!   spaces, `%#010x` puts its zeros after the `0x`.
//! * Time series are drawn in UTC; bpftrace takes the zone of the machine.
//! * Link-layer addresses print bytes of 0x80 and above as two digits; bpftrace sign-extends them.

pub mod folded;
mod graph;
pub mod json;
pub mod text;
