//! From loaded to attached: one file per kind of attach point.
//!
//! In: a compiled script and its loaded programs. Out: [`Attached`], which detaches everything when it is dropped. Nothing is
//! ever pinned: if the process dies, the kernel detaches.

mod interval;
mod kprobe;
pub(crate) mod library;
mod profile;
mod raw_tracepoint;
pub(crate) mod source;
mod tracepoint;
mod uprobe;

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use lang::compiled::{Attach, Compiled};

use crate::load::Loaded;
use crate::sys;
use crate::sys::release::{close_together, hand_off};

/// The most perf events that are closed by this process, so that nothing at all is left when it ends: some 10 ms each.
const CLOSED_HERE: usize = 8;

/// A program at one attach point.
#[derive(Debug)]
pub(crate) struct Attachment {
    /// Ends the program's part in it, quickly; absent on kernels before 5.15 for perf events.
    link: Option<OwnedFd>,
    /// The perf event, if the attach point is one. Slow to close.
    event: Option<OwnedFd>,
}

/// Everything a script attached.
#[derive(Debug, Default)]
pub struct Attached {
    attachments: Vec<Attachment>,
    /// How many attach points there are, those that run by hand (BEGIN, END) among them.
    pub count: usize,
}

/// Why an attach point could not be had.
#[derive(Debug, thiserror::Error)]
#[error("attaching to {point}: {error}")]
pub struct AttachError {
    /// The attach point as a script writes it.
    pub point: String,
    /// Why.
    pub error: Reason,
}

/// What stood in the way of attaching.
#[derive(Debug, thiserror::Error)]
pub enum Reason {
    /// There is no such tracepoint.
    #[error("no such tracepoint")]
    NoTracepoint,
    /// The kernel does not have this kind of probe.
    #[error("this kernel has no {0}")]
    NoSource(&'static str),
    /// There is no tracefs.
    #[error(transparent)]
    Tracefs(#[from] crate::tracefs::Missing),
    /// There is no such executable or library.
    #[error("{0} is neither a file, nor a program in PATH, nor a library of this machine")]
    NoFile(String),
    /// The file has no such function.
    #[error("{0}")]
    NoFunction(String),
    /// The kernel refused.
    #[error("{0}")]
    Kernel(#[from] io::Error),
}

/// Attaches every program to all its attach points, except those that run by hand.
pub fn attach(compiled: &Compiled, loaded: &Loaded, pid: Option<u32>) -> Result<Attached, AttachError> {
    let mut attached = Attached::default();
    for (program, fd) in compiled.programs.iter().zip(&loaded.programs) {
        for point in &program.attach {
            let attachments =
                attach_one(point, fd.as_fd(), pid).map_err(|error| AttachError { point: describe(point), error })?;
            attached.attachments.extend(attachments);
            attached.count += 1;
        }
    }
    Ok(attached)
}

fn attach_one(point: &Attach, program: BorrowedFd<'_>, pid: Option<u32>) -> Result<Vec<Attachment>, Reason> {
    match point {
        Attach::Begin | Attach::End => Ok(Vec::new()),
        Attach::Tracepoint { category, event } => tracepoint::attach(program, category, event).map(|one| vec![one]),
        Attach::RawTracepoint { event } => raw_tracepoint::attach(program, event).map(|one| vec![one]),
        Attach::Kprobe { function, offset } => kprobe::entry(program, function, *offset).map(|one| vec![one]),
        Attach::Kretprobe { function } => kprobe::exit(program, function).map(|one| vec![one]),
        Attach::Uprobe { path, function, offset, ret } => {
            let place = uprobe::Place { path, function: function.as_deref(), offset: *offset, ret: *ret };
            uprobe::attach(program, &place, pid).map(|one| vec![one])
        }
        Attach::Interval { nanoseconds } => interval::attach(program, *nanoseconds).map(|one| vec![one]),
        Attach::Profile(rate) => profile::attach(program, *rate),
    }
}

/// Runs the programs of `BEGIN` or of `END`, in the order of the script, in the context of this process.
///
/// Kernel 5.10.
pub fn run_by_hand(compiled: &Compiled, loaded: &Loaded, when: &Attach) -> Result<(), AttachError> {
    for (program, fd) in compiled.programs.iter().zip(&loaded.programs) {
        if program.attach.contains(when) {
            sys::program::run_raw_tracepoint(fd.as_fd())
                .map_err(|error| AttachError { point: describe(when), error: error.into() })?;
        }
    }
    Ok(())
}

impl Drop for Attached {
    /// Detaches every program. Perf events are slow to close: many of them are left for another process to close.
    ///
    /// No program runs any more after this, except one on a raw tracepoint that was running already.
    fn drop(&mut self) {
        let (mut links, mut events) = (Vec::new(), Vec::new());
        for Attachment { link, event } in self.attachments.drain(..) {
            match (link, event) {
                (Some(link), Some(event)) => {
                    links.push(link);
                    events.push(event);
                }
                // Without a link only closing the event detaches its program; without an event closing the link is quick.
                (link, event) => drop((link, event)),
            }
        }
        close_together(links);
        if events.len() > CLOSED_HERE
            && let Err(error) = hand_off(events)
        {
            tracing::debug!(%error, "closing perf events in this process");
        }
    }
}

/// The attach point as a script writes it.
pub fn describe(point: &Attach) -> String {
    match point {
        Attach::Begin => "BEGIN".to_owned(),
        Attach::End => "END".to_owned(),
        Attach::Tracepoint { category, event } => format!("tracepoint:{category}:{event}"),
        Attach::RawTracepoint { event } => format!("rawtracepoint:{event}"),
        Attach::Kprobe { function, offset: 0 } => format!("kprobe:{function}"),
        Attach::Kprobe { function, offset } => format!("kprobe:{function}+{offset}"),
        Attach::Kretprobe { function } => format!("kretprobe:{function}"),
        Attach::Uprobe { path, function, offset, ret } => {
            let provider = if *ret { "uretprobe" } else { "uprobe" };
            match (function, offset) {
                (Some(function), 0) => format!("{provider}:{path}:{function}"),
                (Some(function), offset) => format!("{provider}:{path}:{function}+{offset}"),
                (None, offset) => format!("{provider}:{path}:{offset:#x}"),
            }
        }
        Attach::Interval { nanoseconds } => format!("interval:{nanoseconds}ns"),
        Attach::Profile(rate) => match rate {
            lang::compiled::SampleRate::Hertz(hertz) => format!("profile:hz:{hertz}"),
            lang::compiled::SampleRate::Nanoseconds(period) => format!("profile:{period}ns"),
        },
    }
}
