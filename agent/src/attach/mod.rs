//! From loaded to attached: one file per kind of attach point.
//!
//! In: a compiled script and its loaded programs. Out: [`Attached`], which detaches everything when it is dropped. Nothing is
//! ever pinned: if the process dies, the kernel detaches.

mod counter;
mod interval;
mod iter;
mod kprobe;
mod point;
mod profile;
mod raw_tracepoint;
mod reason;
pub(crate) mod source;
mod tracepoint;
mod uprobe;
mod watchpoint;

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use ::bpf::program::AttachType;
use lang::compiled::{Attach, Compiled, Program};
use lang::config::MissingProbes;

use crate::load::Loaded;
use crate::sys;
use crate::sys::link::{self, UserPlace};
use crate::sys::perf::Counter;
use crate::sys::release::{close_together, hand_off};

pub use point::describe;
pub use reason::{AttachError, Reason};

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
    /// Watchpoints, by what they watch: they may be ended before the rest.
    watchpoints: Vec<(u64, Vec<Attachment>)>,
    /// How many attach points there are, those that run by hand (BEGIN, END) among them.
    pub count: usize,
    /// Attach points that could not be had and that the script can do without.
    pub skipped: Vec<AttachError>,
}

/// Attaches every program to all its attach points, except those that run by hand.
///
/// Programs of one attach point run in the order of the script: where the kernel runs what came last first, they are attached from the
/// last to the first. Iterators come last: what they print tells of a node on which everything else is attached.
pub fn attach(compiled: &Compiled, loaded: &Loaded, pid: Option<u32>) -> Result<Attached, AttachError> {
    let mut attached = Attached::default();
    let both = || compiled.programs.iter().zip(&loaded.programs);
    let forward = both().filter(|(program, _)| order(program) == Order::FirstComesFirst);
    let backward = both().rev().filter(|(program, _)| order(program) == Order::LastComesFirst);
    let walks = both().filter(|(program, _)| order(program) == Order::AtTheEnd);
    for (program, fd) in forward.chain(backward).chain(walks) {
        attached.add(program, fd.as_fd(), pid, compiled.settings.missing_probes)?;
    }
    Ok(attached)
}

/// In which order the kernel runs programs of one attach point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    FirstComesFirst,
    LastComesFirst,
    AtTheEnd,
}

fn order(program: &Program) -> Order {
    match program.attach.first() {
        Some(Attach::Kprobe { .. } | Attach::Uprobe { .. } | Attach::Function { .. }) => Order::LastComesFirst,
        Some(Attach::Iter { .. }) => Order::AtTheEnd,
        _ => Order::FirstComesFirst,
    }
}

impl Attached {
    fn add(
        &mut self,
        program: &Program,
        fd: BorrowedFd<'_>,
        pid: Option<u32>,
        missing: MissingProbes,
    ) -> Result<(), AttachError> {
        // What attaches at the entry and the return of a function at once is one point, as in bpftrace.
        let is_session = program.expected.as_ref().is_some_and(|expected| expected.attach == AttachType::KprobeSession);
        let points = if is_session { entries(&program.attach) } else { &program.attach };
        if let Some(Ok(attachments)) = together(program, points, fd, pid) {
            self.attachments.extend(attachments);
            self.count += points.iter().map(Attach::points).sum::<usize>();
            return Ok(());
        }
        // One link takes all places or none: one by one, some may be had.
        let (count, skipped) = (self.count, self.skipped.len());
        for point in points {
            let attached =
                together(program, std::slice::from_ref(point), fd, pid).unwrap_or_else(|| attach_one(point, fd, pid));
            match attached {
                Ok(attachments) => {
                    match point {
                        Attach::Watchpoint { address, .. } => self.watchpoints.push((*address, attachments)),
                        _ => self.attachments.extend(attachments),
                    }
                    self.count += point.points();
                }
                Err(error) => {
                    let error = AttachError { point: point::describe(point), error };
                    // Of the places a wildcard found, the kernel may forbid some.
                    let one_of_many = points.len() > 1 && error.error.is_about_the_place();
                    match missing {
                        MissingProbes::Error if !one_of_many => return Err(error),
                        MissingProbes::Ignore => {}
                        _ => self.skipped.push(error),
                    }
                }
            }
        }
        if self.count == count && self.skipped.len() > skipped && missing == MissingProbes::Error {
            return self.skipped.pop().map_or(Ok(()), Err);
        }
        Ok(())
    }
}

impl Attached {
    /// Ends the watchpoints at an address.
    pub fn unwatch(&mut self, address: u64) {
        self.watchpoints.retain(|(watched, _)| *watched != address);
    }
}

/// Those of a session's points that are at functions' entries: they come first.
fn entries(points: &[Attach]) -> &[Attach] {
    let returns = points.iter().position(|point| matches!(point, Attach::Kretprobe { .. }));
    points.get(..returns.unwrap_or(points.len())).unwrap_or_default()
}

/// Several attach points of a program at once, where it was loaded for that.
fn together(
    program: &Program,
    points: &[Attach],
    fd: BorrowedFd<'_>,
    pid: Option<u32>,
) -> Option<Result<Vec<Attachment>, Reason>> {
    match program.expected.as_ref()?.attach {
        AttachType::TraceRawTp => Some(by_types(fd)),
        AttachType::KprobeMulti => Some(kprobe::many(fd, points).map(|one| vec![one])),
        AttachType::KprobeSession => Some(kprobe::sessions(fd, points).map(|one| vec![one])),
        AttachType::UprobeMulti => {
            let places: Vec<_> = points.iter().filter_map(uprobe::Place::of).collect();
            Some(uprobe::many(fd, &places, pid))
        }
        _ => None,
    }
}

/// A program that was loaded for the one place it attaches to.
fn by_types(program: BorrowedFd<'_>) -> Result<Vec<Attachment>, Reason> {
    let link = link::tracing(program)?;
    Ok(vec![Attachment { link: Some(link), event: None }])
}

fn attach_one(point: &Attach, program: BorrowedFd<'_>, pid: Option<u32>) -> Result<Vec<Attachment>, Reason> {
    let one = |attachment: Result<Attachment, Reason>| attachment.map(|one| vec![one]);
    match point {
        Attach::Begin | Attach::End | Attach::Signal { .. } | Attach::Trial { .. } => Ok(Vec::new()),
        Attach::Tracepoint { category, event } => one(tracepoint::attach(program, category, event)),
        Attach::RawTracepoint { event } => one(raw_tracepoint::attach(program, event)),
        Attach::Syscalls { exit, .. } => one(raw_tracepoint::syscalls(program, *exit)),
        Attach::Kprobe { function, offset } => one(kprobe::entry(program, function, *offset)),
        Attach::Kretprobe { function } => one(kprobe::exit(program, function)),
        Attach::Function { .. } => by_types(program),
        Attach::Uprobe { path, offset, ret, semaphore, .. } => {
            let at = UserPlace { offset: *offset, semaphore: *semaphore };
            one(uprobe::one(program, &uprobe::Place { path, at, ret: *ret }, pid))
        }
        Attach::Interval { nanoseconds } => one(interval::attach(program, *nanoseconds)),
        Attach::Profile(rate) => profile::attach(program, *rate),
        Attach::Software { event, period } => counter::attach(program, Counter::Software, *event, *period, pid),
        Attach::Hardware { event, period } => counter::attach(program, Counter::Hardware, *event, *period, pid),
        Attach::Watchpoint { address, length, access } => watchpoint::attach(program, *address, *length, *access, pid),
        Attach::Iter { .. } => one(iter::walk(program)),
    }
}

/// Runs the programs of `BEGIN` or of `END`, in the order of the script, in the context of this process.
///
/// Kernel 5.10.
pub fn run_by_hand(compiled: &Compiled, loaded: &Loaded, when: &Attach) -> Result<(), AttachError> {
    for (program, fd) in compiled.programs.iter().zip(&loaded.programs) {
        if program.attach.contains(when) {
            sys::program::run_raw_tracepoint(fd.as_fd())
                .map_err(|error| AttachError { point: point::describe(when), error: error.into() })?;
        }
    }
    Ok(())
}

/// Runs the program of a test or benchmark once, in the context of this process; what it returned.
///
/// Kernel 5.10.
pub fn run_trial(compiled: &Compiled, loaded: &Loaded, trial: &Attach) -> Result<u32, AttachError> {
    let program = compiled.programs.iter().zip(&loaded.programs).find(|(program, _)| program.attach.contains(trial));
    let Some((_, fd)) = program else { return Ok(0) };
    sys::program::run_raw_tracepoint(fd.as_fd())
        .map_err(|error| AttachError { point: point::describe(trial), error: error.into() })
}

impl Drop for Attached {
    /// Detaches every program. Perf events are slow to close: many of them are left for another process to close.
    ///
    /// No program runs any more after this, except one on a raw tracepoint that was running already.
    fn drop(&mut self) {
        let (mut links, mut events) = (Vec::new(), Vec::new());
        let watchpoints = self.watchpoints.drain(..).flat_map(|(_, attachments)| attachments);
        for Attachment { link, event } in self.attachments.drain(..).chain(watchpoints) {
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
