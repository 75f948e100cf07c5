//! The kernel's interfaces that no crate covers: the only unsafe code of the project, safe outside.
//!
//! Owns bpf(2), perf_event_open(2) and its buffers, signalfd(2), pidfd_open(2), fork(2), ptrace(2), the handler of SIGBUS and the few
//! ioctls around them. Takes and returns owned file descriptors, byte slices and `io::Error`s. Knows no script, no schema and no policy:
//! those are [`crate::load`], [`crate::attach`] and
//! [`crate::read`]. What aya and rustix already do safely is called where it is needed, not wrapped here.
#![allow(unsafe_code)]

mod bpf;
pub mod btf;
pub mod child;
pub mod cut_off;
#[cfg(target_arch = "x86_64")]
pub mod entry;
pub mod link;
pub mod map;
pub mod mapping;
pub mod nested;
pub mod perf;
pub mod process_records;
pub mod program;
pub mod programs;
pub mod release;
pub mod signals;
