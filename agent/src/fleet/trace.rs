//! One assignment carried out: a thread that compiles the script for this node, runs its session and tells what it sees.
//!
//! Owns the session from start to end; it lives and dies with the thread. What it sees goes into a channel as
//! [`Sighting`]s. Leaves reporting to [`super::outbox`].

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use api::reason::FailureReason;
use api::tracejob::split_args;
use api::wire::{Assignment, JobUid, Lost, SessionId, SessionState};
use lang::compiled::Compiled;
use report::Snapshot;
use tokio::sync::mpsc::UnboundedSender;

use super::lines::Lines;
use super::outbox::Observation;
use crate::session::{Polled, Session, SessionError, SessionOptions, StopHandle, StopReason};
use crate::{preflight, target};

/// What a thread saw of its session.
#[derive(Debug)]
pub struct Sighting {
    /// Whose.
    pub job: JobUid,
    /// Which run of it.
    pub session: SessionId,
    /// How it was.
    pub observation: Observation,
    /// What it printed since the last sighting.
    pub lines: Vec<String>,
}

/// Ends a trace from outside, before or after its session has begun.
#[derive(Clone, Debug, Default)]
pub struct Ending {
    asked: Arc<AtomicBool>,
    session: Arc<Mutex<Option<StopHandle>>>,
}

impl Ending {
    /// Asks for the end, once and for all.
    pub fn ask(&self) {
        self.asked.store(true, Ordering::SeqCst);
        if let Some(handle) = &*self.session.lock().unwrap_or_else(PoisonError::into_inner) {
            handle.stop();
        }
    }

    fn is_asked(&self) -> bool {
        self.asked.load(Ordering::SeqCst)
    }

    fn begun(&self, handle: StopHandle) {
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_asked() {
            handle.stop();
        }
        *session = Some(handle);
    }
}

/// Why a trace did not run to its end.
#[derive(Debug)]
struct Failure {
    reason: FailureReason,
    message: String,
}

/// Starts the thread. The end comes as a sighting whose state is final, then the channel's other end is dropped.
pub fn spawn(assignment: Assignment, session: SessionId, told: UnboundedSender<Sighting>) -> std::io::Result<Ending> {
    let ending = Ending::default();
    let deadline = Instant::now().checked_add(Duration::from_millis(assignment.remaining_ms));
    let trace = Trace { assignment, session, told, ending: ending.clone(), deadline };
    thread::Builder::new().name("trace".to_owned()).spawn(move || trace.run())?;
    Ok(ending)
}

/// What a session that never began, or never will, looks like.
pub fn unbegun(state: SessionState) -> Observation {
    Observation { snapshot: Arc::new(Snapshot::default()), lost: Lost::default(), state, probes: 0 }
}

struct Trace {
    assignment: Assignment,
    session: SessionId,
    told: UnboundedSender<Sighting>,
    ending: Ending,
    deadline: Option<Instant>,
}

impl Trace {
    fn run(self) {
        let mut last = None;
        if let Err(Failure { reason, message }) = self.trace(&mut last) {
            let state = match reason {
                FailureReason::MissingCapability => SessionState::Refused { reason, message },
                _ => SessionState::Failed { reason, message },
            };
            let observation =
                last.map_or_else(|| unbegun(state.clone()), |seen| Observation { state: state.clone(), ..seen });
            self.tell(observation, Vec::new());
        }
    }

    fn tell(&self, observation: Observation, lines: Vec<String>) {
        let (job, session) = (self.assignment.job.clone(), self.session.clone());
        // Without a receiver the agent itself is ending.
        let _ = self.told.send(Sighting { job, session, observation, lines });
    }

    /// Runs to the end. Keeps in `last` what was seen last, for a failure on the way.
    fn trace(&self, last: &mut Option<Observation>) -> Result<(), Failure> {
        let compiled = self.compile()?;
        let options = SessionOptions { deadline: self.deadline, ..SessionOptions::default() };
        let mut session = Session::start(compiled, options).map_err(|error| self.broken(&error))?;
        self.ending.begun(session.stop_handle());
        let probes = u32::try_from(session.attached_probes()).unwrap_or(u32::MAX);
        let mut lines = Lines::new(self.assignment.limits.output_lines);
        let interval = Duration::from_millis(self.assignment.report_interval_ms.max(1));
        self.look(&session, &mut lines, probes, last)?;
        let mut next_look = Instant::now() + interval;
        loop {
            let left = next_look.saturating_duration_since(Instant::now());
            match session.poll(left, None, &mut lines).map_err(|error| self.broken(&error))? {
                Polled::Ended(_) => break,
                Polled::Running | Polled::Interrupted if Instant::now() >= next_look => {
                    self.look(&session, &mut lines, probes, last)?;
                    next_look = Instant::now() + interval;
                }
                Polled::Running | Polled::Interrupted => {}
            }
        }
        let left = session.finish(&mut lines).map_err(|error| self.broken(&error))?;
        let state = final_state(left.reason);
        let all = lines.take_all();
        let lost = lost(left.lost, lines.dropped());
        self.tell(Observation { snapshot: Arc::new(left.snapshot), lost, state, probes }, all);
        Ok(())
    }

    fn look(
        &self,
        session: &Session,
        lines: &mut Lines,
        probes: u32,
        last: &mut Option<Observation>,
    ) -> Result<(), Failure> {
        let snapshot = session.snapshot().map_err(|error| self.broken(&error))?;
        let dropped = session.lost().map_err(|error| self.broken(&error))?;
        let lost = lost(dropped, lines.dropped());
        let seen = Observation { snapshot: Arc::new(snapshot), lost, state: SessionState::Running, probes };
        *last = Some(seen.clone());
        self.tell(seen, lines.take_finished());
        Ok(())
    }

    fn compile(&self) -> Result<Compiled, Failure> {
        let missing: Vec<String> =
            preflight::missing().iter().map(|missing| format!("{missing}: {}", missing.remedy())).collect();
        if !missing.is_empty() {
            return Err(Failure { reason: FailureReason::MissingCapability, message: missing.join("\n") });
        }
        let source = &self.assignment.script;
        let (args, named) = split_args(&self.assignment.args);
        let options = lang::options::Options {
            args,
            named,
            settings: vec![("max_map_keys".to_owned(), self.assignment.limits.map_entries.to_string())],
            ..Default::default()
        };
        let unsupported = |message| Failure { reason: FailureReason::ScriptUnsupported, message };
        let wrong = |found: Vec<_>| unsupported(lang::render::terminal(&self.assignment.name, source, &found));
        let script = lang::parse(source).map_err(wrong)?;
        let target = target::gather(&lang::needs::needs_with(&script, &options))
            .map_err(|error| unsupported(error.to_string()))?;
        lang::compile(source, &script, &target, &options).map_err(wrong)
    }

    fn broken(&self, error: &SessionError) -> Failure {
        let reason = match error {
            SessionError::Load(_) => FailureReason::LoadFailed,
            SessionError::Attach(_) => FailureReason::AttachFailed,
            SessionError::Read(_)
            | SessionError::Output(_)
            | SessionError::Capture(_)
            | SessionError::Kernel { .. } => FailureReason::SessionFailed,
        };
        Failure { reason, message: error.render(&self.assignment.name, &self.assignment.script) }
    }
}

fn final_state(reason: StopReason) -> SessionState {
    match reason {
        StopReason::Exit(code) if code != 0 => SessionState::Failed {
            reason: FailureReason::ScriptExited,
            message: format!("the script called exit({code})"),
        },
        StopReason::Exit(_) | StopReason::Completed | StopReason::Deadline | StopReason::Requested => {
            SessionState::Succeeded
        }
    }
}

fn lost(dropped: crate::read::Lost, lines: u64) -> Lost {
    Lost { events: dropped.events, stacks: dropped.stacks, elements: dropped.elements, lines }
}
