//! Any text compiles or is refused; what compiles is well-formed code.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| proof::compile(text));
