//! One script running on this node, from start to final snapshot.
//!
//! [`Session::start`] loads and attaches, [`Session::poll`] waits for events and acts on them, [`Session::snapshot`] reads the
//! maps at any time, [`Session::finish`] yields what is left. [`machine`] decides, this file carries out. A session blocks
//! its thread while it is polled: whoever runs several gives each its own. Dropping one detaches everything.

mod act;
mod error;
mod follow;
pub mod machine;
mod output;
mod stop;

use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use lang::compiled::{Attach, Compiled};
use report::event::{Event, decode_event};
use report::snapshot::Snapshot;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::attach::{self, Attached};
use crate::load::{self, Loaded};
use crate::packets::{Captures, Packets};
use crate::read::{self, Lost};
use crate::symbolise::{SessionSymbols, Symboliser};
use crate::sys::programs;

pub use error::SessionError;
pub use machine::StopReason;
use machine::{Effect, Input, Machine};
pub use output::{Output, Sink};
pub use stop::StopHandle;

/// How a session runs.
#[derive(Clone, Debug, Default)]
pub struct SessionOptions {
    /// When it ends at the latest, on the monotonic clock.
    pub deadline: Option<Instant>,
    /// The process user probes are limited to.
    pub pid: Option<u32>,
    /// Processes whose stacks are followed from the start on.
    pub followed: Vec<u32>,
}

/// A running session.
pub struct Session {
    compiled: Compiled,
    loaded: Loaded,
    attached: Option<Attached>,
    attached_probes: usize,
    machine: Machine,
    symboliser: Symboliser,
    captures: Captures,
    stop: StopHandle,
    deadline: Option<Instant>,
    lost_told: u64,
    /// Events that were there and not acted on.
    skipped: u64,
}

/// What a poll came back with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Polled {
    /// The session runs on.
    Running,
    /// The descriptor to watch besides is readable; the session runs on.
    Interrupted,
    /// The session is over, for this reason.
    Ended(StopReason),
}

/// What a session leaves.
#[derive(Clone, Debug)]
pub struct Final {
    /// Its maps.
    pub snapshot: Snapshot,
    /// Why it ended.
    pub reason: StopReason,
    /// What was lost on the way.
    pub lost: Lost,
    /// Whether the maps are to be printed.
    pub print_maps: bool,
}

impl Session {
    /// Loads the script, runs BEGIN, attaches the rest.
    pub fn start(compiled: Compiled, options: SessionOptions) -> Result<Self, SessionError> {
        let stop = StopHandle::new().map_err(|error| SessionError::Kernel { what: "eventfd", error })?;
        let captures = Captures::of(&compiled.schema)?;
        let mut loaded = load::load(&compiled)?;
        let symboliser = Symboliser::of(&compiled, options.pid);
        if let Some(unwinder) = &mut loaded.unwinder {
            follow::learn(unwinder, &options.followed)?;
        }
        attach::run_by_hand(&compiled, &loaded, &Attach::Begin)?;
        let attached = attach::attach(&compiled, &loaded, options.pid)?;
        // Iterators have run by now, and run once.
        let is_over =
            |point: &Attach| matches!(point, Attach::Begin | Attach::End | Attach::Iter { .. } | Attach::Trial { .. });
        let has_probes = compiled.programs.iter().any(|program| !program.attach.iter().all(is_over));
        Ok(Self {
            attached_probes: attached.count,
            attached: Some(attached),
            machine: Machine::new(has_probes),
            symboliser,
            captures,
            stop,
            deadline: options.deadline,
            lost_told: 0,
            skipped: 0,
            compiled,
            loaded,
        })
    }

    /// How many attach points the script has, BEGIN and END among them.
    pub fn attached_probes(&self) -> usize {
        self.attached_probes
    }

    /// The programs, each with its id in the kernel and what its attach points are called.
    pub fn programs(&self) -> Vec<(u32, Vec<String>)> {
        let both = self.compiled.programs.iter().zip(&self.loaded.programs);
        let points = |points: &[Attach]| points.iter().map(attach::describe).collect();
        both.map(|(program, fd)| (programs::id(fd.as_fd()).unwrap_or_default(), points(&program.attach))).collect()
    }

    /// Attach points that the kernel refused and that the script can do without, each with its reason.
    pub fn skipped(&self) -> Vec<String> {
        let skipped = self.attached.iter().flat_map(|attached| &attached.skipped);
        skipped.map(ToString::to_string).collect()
    }

    /// Runs what the script does when this process receives a signal.
    pub fn signalled(&mut self, number: i32) -> Result<(), SessionError> {
        Ok(attach::run_by_hand(&self.compiled, &self.loaded, &Attach::Signal { number })?)
    }

    /// The names of the script's tests or benchmarks, in its order.
    pub fn trials(&self) -> Vec<String> {
        let points = self.compiled.programs.iter().flat_map(|program| &program.attach);
        let name = |point: &Attach| match point {
            Attach::Trial { name } => Some(name.clone()),
            _ => None,
        };
        points.filter_map(name).collect()
    }

    /// Runs a test or benchmark once; what it returned.
    pub fn try_out(&self, name: &str) -> Result<u32, SessionError> {
        let trial = Attach::Trial { name: name.to_owned() };
        Ok(attach::run_trial(&self.compiled, &self.loaded, &trial)?)
    }

    /// Does what the events so far ask, but does not end for one that asks for that; whether there was one.
    pub fn overhear(&mut self, sink: &mut dyn Sink) -> Result<bool, SessionError> {
        let mut asked = false;
        while let Some(event) = self.next_event(sink)? {
            match event {
                Event::Exit { code } => asked |= code != 0,
                event => self.act(event, sink)?,
            }
        }
        Ok(asked)
    }

    /// A way to end the session from another thread.
    pub fn stop_handle(&self) -> StopHandle {
        self.stop.clone()
    }

    /// Waits until there is something to do, does it, and returns: after `timeout`, when `watch` becomes readable, after a
    /// batch of events, or when the session is over. Ends the session itself when its time box is over.
    pub fn poll(
        &mut self,
        timeout: Duration,
        watch: Option<BorrowedFd<'_>>,
        sink: &mut dyn Sink,
    ) -> Result<Polled, SessionError> {
        // BEGIN may have left events before anybody could be woken by them. More may wait where there were some.
        let timeout = match self.read_events(sink)? {
            0 => {
                self.step(Input::Drained, sink)?;
                timeout
            }
            _ => Duration::ZERO,
        };
        let mut interrupted = false;
        if !self.machine.is_ended() {
            let ready = self.wait(timeout, watch)?;
            interrupted = ready.watched;
            if ready.stop {
                self.step(Input::StopRequested, sink)?;
            }
            self.read_events(sink)?;
            if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                self.step(Input::DeadlinePassed, sink)?;
            }
        }
        self.answer_requests(sink)?;
        self.tell_lost(sink)?;
        Ok(match (self.machine.reason(), interrupted) {
            (Some(reason), _) if self.machine.is_ended() => Polled::Ended(reason),
            (_, true) => Polled::Interrupted,
            _ => Polled::Running,
        })
    }

    /// Ends the session now, if it has not ended: detaches, runs END, reads its last events.
    pub fn stop(&mut self, sink: &mut dyn Sink) -> Result<(), SessionError> {
        self.read_events(sink)?;
        self.step(Input::StopRequested, sink)
    }

    /// What its values are decoded with.
    fn symbols(&self) -> SessionSymbols<'_> {
        self.symboliser.with(&self.loaded.maps, &self.compiled.settings)
    }

    /// What the maps hold now, symbolised.
    pub fn snapshot(&self) -> Result<Snapshot, SessionError> {
        let symbols = self.symbols();
        Ok(read::snapshot(&self.compiled.schema, &self.loaded.maps, &symbols)?)
    }

    /// What was lost until now.
    pub fn lost(&self) -> Result<Lost, SessionError> {
        let mut lost = read::lost(&self.loaded.maps)?;
        lost.events += self.skipped;
        Ok(lost)
    }

    /// Ends the session if it has not ended, and yields what is left.
    pub fn finish(mut self, sink: &mut dyn Sink) -> Result<Final, SessionError> {
        self.stop(sink)?;
        self.tell_lost(sink)?;
        Ok(Final {
            snapshot: self.snapshot()?,
            reason: self.machine.reason().unwrap_or(StopReason::Requested),
            lost: self.lost()?,
            print_maps: self.compiled.settings.print_maps_on_exit,
        })
    }

    fn step(&mut self, input: Input, sink: &mut dyn Sink) -> Result<(), SessionError> {
        for effect in self.machine.step(input) {
            self.carry_out(effect, sink)?;
        }
        Ok(())
    }

    fn carry_out(&mut self, effect: Effect, sink: &mut dyn Sink) -> Result<(), SessionError> {
        match effect {
            Effect::Act(event) => self.act(event, sink),
            Effect::Detach => {
                self.attached = None;
                self.drain(sink)?;
                self.step(Input::Detached, sink)
            }
            Effect::RunEnd => {
                attach::run_by_hand(&self.compiled, &self.loaded, &Attach::End)?;
                self.step(Input::EndRan, sink)
            }
            Effect::Drain => {
                self.drain(sink)?;
                self.step(Input::Drained, sink)
            }
            Effect::Finish(_) => Ok(()),
        }
    }

    /// Reads the events that have arrived, at most [`BATCH`] or for a [`TURN`], and acts on them. Returns how many there were.
    fn read_events(&mut self, sink: &mut dyn Sink) -> Result<usize, SessionError> {
        self.symboliser.note_processes();
        let mut count = 0;
        let started = Instant::now();
        while count < BATCH && started.elapsed() < TURN {
            let Some(event) = self.next_event(sink)? else { break };
            count += 1;
            self.step(Input::Event(event), sink)?;
        }
        Ok(count + self.read_packets(sink)?)
    }

    /// The next event that has arrived. One that cannot be read is told of and left out.
    fn next_event(&mut self, sink: &mut dyn Sink) -> Result<Option<Event>, SessionError> {
        while let Some(record) = self.loaded.events.as_mut().and_then(|events| events.next().map(|item| item.to_vec()))
        {
            if let Some(event) = self.decode(&record, sink)? {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }

    fn decode(&self, record: &[u8], sink: &mut dyn Sink) -> Result<Option<Event>, SessionError> {
        match decode_event(&self.compiled.schema, record, &self.symbols()) {
            Ok(event) => Ok(Some(event)),
            Err(error) => {
                sink.take(Output::Failed(format!("an event cannot be read: {error}")))?;
                Ok(None)
            }
        }
    }

    /// Writes the packets that have arrived, also when the session is about to end. Returns how many there were.
    fn read_packets(&mut self, sink: &mut dyn Sink) -> Result<usize, SessionError> {
        let records = self.loaded.packets.as_mut().map(Packets::read).unwrap_or_default();
        for record in &records {
            if let Some(event) = self.decode(record, sink)? {
                self.act(event, sink)?;
            }
        }
        if !records.is_empty() {
            self.captures.flush()?;
        }
        Ok(records.len())
    }

    /// Reads every event that has arrived. Where acting on them takes longer than [`GRACE`], the rest is counted as lost.
    fn drain(&mut self, sink: &mut dyn Sink) -> Result<(), SessionError> {
        let started = Instant::now();
        while self.read_events(sink)? > 0 {
            if started.elapsed() > GRACE {
                self.skip_events();
            }
        }
        Ok(())
    }

    fn skip_events(&mut self) {
        while self.loaded.events.as_mut().and_then(|events| events.next().map(drop)).is_some() {
            self.skipped += 1;
        }
    }

    fn wait(&self, timeout: Duration, watch: Option<BorrowedFd<'_>>) -> Result<Ready, SessionError> {
        let left = self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let timeout = left.map_or(timeout, |left| left.min(timeout));
        let timeout = Timespec {
            tv_sec: timeout.as_secs().try_into().unwrap_or(i64::MAX),
            tv_nsec: timeout.subsec_nanos().into(),
        };
        let mut fds = vec![PollFd::new(&self.stop, PollFlags::IN)];
        let watched = watch.map(|watch| {
            fds.push(PollFd::from_borrowed_fd(watch, PollFlags::IN));
            fds.len() - 1
        });
        if let Some(events) = &self.loaded.events {
            fds.push(PollFd::from_borrowed_fd(events.as_fd(), PollFlags::IN));
        }
        if let Some(unwinder) = &self.loaded.unwinder {
            fds.push(PollFd::from_borrowed_fd(unwinder.as_fd(), PollFlags::IN));
        }
        let packets = self.loaded.packets.iter().flat_map(Packets::descriptors);
        fds.extend(packets.chain(self.symboliser.descriptors()).map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)));
        match poll(&mut fds, Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(SessionError::Kernel { what: "poll", error: error.into() }),
        }
        let is_ready = |index: usize| fds.get(index).is_some_and(|fd| !fd.revents().is_empty());
        Ok(Ready { stop: is_ready(0), watched: watched.is_some_and(is_ready) })
    }

    fn tell_lost(&mut self, sink: &mut dyn Sink) -> Result<(), SessionError> {
        let lost = self.lost()?.events;
        if lost > self.lost_told {
            sink.take(Output::LostEvents(lost - self.lost_told))?;
            self.lost_told = lost;
        }
        Ok(())
    }
}

/// How many events are read, and how long, before the signals, the time box and the caller get their turn.
const BATCH: usize = 4096;
const TURN: Duration = Duration::from_millis(100);

/// How long what is left is acted on once the session ends: whoever ends it waits.
const GRACE: Duration = Duration::from_millis(400);

struct Ready {
    stop: bool,
    watched: bool,
}
