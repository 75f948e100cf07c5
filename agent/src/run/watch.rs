//! What ends a run from outside, as one descriptor: signals, and the end of the process that is traced.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::sys::child::Child;
use crate::sys::signals::Signals;

/// Watches signals and perhaps a process.
pub(super) struct Watch {
    all: OwnedFd,
    signals: Signals,
    process: Option<Process>,
}

/// The process whose end ends the run.
pub(super) enum Process {
    /// One we started.
    Own(Child),
    /// Any other.
    Other(OwnedFd),
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Happened {
    /// The run is to end: SIGINT or SIGTERM.
    Stop,
    /// A signal that a script may wait for: SIGUSR1 or SIGUSR2.
    User(libc::c_int),
    /// The traced process ended.
    ProcessEnded,
}

impl AsFd for Process {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Process::Own(child) => child.as_fd(),
            Process::Other(fd) => fd.as_fd(),
        }
    }
}

impl Watch {
    /// Watches `signals` and the end of `process`.
    pub fn new(signals: Signals, process: Option<Process>) -> io::Result<Self> {
        let all = epoll::create(CreateFlags::CLOEXEC)?;
        epoll::add(&all, &signals, EventData::new_u64(0), EventFlags::IN)?;
        if let Some(process) = &process {
            epoll::add(&all, process, EventData::new_u64(1), EventFlags::IN)?;
        }
        Ok(Self { all, signals, process })
    }

    /// Starts the process, if it is our own and waits for that.
    pub fn start_process(&mut self) -> io::Result<()> {
        match &mut self.process {
            Some(Process::Own(child)) => child.start(),
            _ => Ok(()),
        }
    }

    /// The same, and has somebody look at it when its libraries are loaded, by its id.
    pub fn start_process_watched(&mut self, look: impl FnOnce(u32)) -> io::Result<()> {
        match &mut self.process {
            Some(Process::Own(child)) => child.start_watched(look),
            _ => Ok(()),
        }
    }

    /// What has happened since the last time.
    pub fn next(&self) -> Option<Happened> {
        match self.signals.next() {
            Some(signal @ (libc::SIGUSR1 | libc::SIGUSR2)) => Some(Happened::User(signal)),
            Some(_) => Some(Happened::Stop),
            None => self.has_ended().then_some(Happened::ProcessEnded),
        }
    }

    fn has_ended(&self) -> bool {
        let Some(process) = &self.process else { return false };
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        matches!(poll(&mut [PollFd::new(process, PollFlags::IN)], Some(&at_once)), Ok(1))
    }
}

impl AsFd for Watch {
    /// Readable when something has happened.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.all.as_fd()
    }
}
