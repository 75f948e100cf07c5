//! Any text is read or refused; what is read can be printed, read again and formatted.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| proof::parse(text));
