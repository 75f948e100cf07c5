//! The life of a session as a pure state machine: inputs in, effects out.
//!
//! Knows when a session ends and in which order things happen then; does nothing itself and has no clock. The order is
//! bpftrace's: BEGIN runs before anything attaches, END after everything is detached, and what `exit()` leaves in the ring
//! buffer is not acted upon any more, while END's own events are.

use report::event::Event;

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// The script called `exit()`, with this code.
    Exit(i32),
    /// The script has nothing left to wait for: it has no probes beside BEGIN and END.
    Completed,
    /// The time box was over.
    Deadline,
    /// Somebody asked for it.
    Requested,
}

impl StopReason {
    /// The exit code of a process that ran the script.
    pub fn exit_code(self) -> i32 {
        match self {
            StopReason::Exit(code) => code,
            StopReason::Completed | StopReason::Deadline | StopReason::Requested => 0,
        }
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// An event of the script was read.
    Event(Event),
    /// No event was left to read.
    Drained,
    /// The time box is over.
    DeadlinePassed,
    /// Somebody wants the session to end.
    StopRequested,
    /// Everything is detached.
    Detached,
    /// END has run.
    EndRan,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Do what an event asks.
    Act(Event),
    /// Detach every program.
    Detach,
    /// Run END.
    RunEnd,
    /// Read the events that are left.
    Drain,
    /// The session is over; its maps do not change any more.
    Finish(StopReason),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Running,
    Detaching,
    Ending,
    Draining,
    Ended,
}

/// A session's state.
#[derive(Clone, Debug)]
pub struct Machine {
    phase: Phase,
    /// Whether probes fire by themselves.
    has_probes: bool,
    reason: Option<StopReason>,
}

impl Machine {
    /// A session whose BEGIN has run and whose probes are attached, if it has any beside BEGIN and END.
    pub fn new(has_probes: bool) -> Self {
        Self { phase: Phase::Running, has_probes, reason: None }
    }

    /// Whether the session is over.
    pub fn is_ended(&self) -> bool {
        self.phase == Phase::Ended
    }

    /// Why the session ends or ended; `None` while it runs.
    pub fn reason(&self) -> Option<StopReason> {
        self.reason
    }

    /// Takes one input; the effects are to be carried out in their order.
    pub fn step(&mut self, input: Input) -> Vec<Effect> {
        match (self.phase, input) {
            (Phase::Running, Input::Event(Event::Exit { code })) => self.stop(StopReason::Exit(code)),
            (Phase::Running, Input::Drained) if !self.has_probes => self.stop(StopReason::Completed),
            (Phase::Running, Input::DeadlinePassed) => self.stop(StopReason::Deadline),
            (Phase::Running, Input::StopRequested) => self.stop(StopReason::Requested),
            (Phase::Running | Phase::Draining, Input::Event(event)) => self.act(event),
            // Between exit() and END events are dropped; an end from outside drops none.
            (Phase::Detaching | Phase::Ending, Input::Event(event)) if !self.exited() => self.act(event),
            (Phase::Detaching, Input::Detached) => self.go(Phase::Ending, Effect::RunEnd),
            (Phase::Ending, Input::EndRan) => self.go(Phase::Draining, Effect::Drain),
            (Phase::Draining, Input::Drained) => {
                let reason = self.reason.unwrap_or(StopReason::Completed);
                self.go(Phase::Ended, Effect::Finish(reason))
            }
            _ => Vec::new(),
        }
    }

    fn stop(&mut self, reason: StopReason) -> Vec<Effect> {
        self.reason = Some(reason);
        self.go(Phase::Detaching, Effect::Detach)
    }

    fn go(&mut self, phase: Phase, effect: Effect) -> Vec<Effect> {
        self.phase = phase;
        vec![effect]
    }

    fn act(&mut self, event: Event) -> Vec<Effect> {
        match event {
            // END may call exit() too: the last code counts, as in bpftrace.
            Event::Exit { code } => {
                self.reason = Some(StopReason::Exit(code));
                Vec::new()
            }
            event => vec![Effect::Act(event)],
        }
    }

    fn exited(&self) -> bool {
        matches!(self.reason, Some(StopReason::Exit(_)))
    }
}

#[cfg(test)]
mod tests {
    use report::schema::MapId;

    use super::*;

    const CLEAR: Event = Event::Clear(MapId(0));

    /// Feeds the machine its own effects until it is over or waits.
    fn finish(machine: &mut Machine, effects: Vec<Effect>) -> Vec<Effect> {
        let mut all = Vec::new();
        let mut queue: std::collections::VecDeque<Effect> = effects.into();
        while let Some(effect) = queue.pop_front() {
            let input = match &effect {
                Effect::Detach => Some(Input::Detached),
                Effect::RunEnd => Some(Input::EndRan),
                Effect::Drain => Some(Input::Drained),
                Effect::Act(_) | Effect::Finish(_) => None,
            };
            all.push(effect);
            queue.extend(input.into_iter().flat_map(|input| machine.step(input)));
        }
        all
    }

    #[test]
    fn end_runs_after_everything_is_detached_and_before_the_last_events() {
        let mut machine = Machine::new(true);
        let effects = machine.step(Input::DeadlinePassed);
        let order = finish(&mut machine, effects);
        assert_eq!(order, [Effect::Detach, Effect::RunEnd, Effect::Drain, Effect::Finish(StopReason::Deadline)]);
        assert!(machine.is_ended());
    }

    #[test]
    fn a_script_of_begin_and_end_only_ends_when_its_events_are_read() {
        let mut machine = Machine::new(false);
        assert_eq!(machine.step(Input::Event(CLEAR)), [Effect::Act(CLEAR)]);
        assert_eq!(machine.step(Input::Drained), [Effect::Detach]);
        assert_eq!(machine.reason(), Some(StopReason::Completed));
        assert!(Machine::new(true).step(Input::Drained).is_empty());
    }

    #[test]
    fn what_follows_exit_is_dropped_until_end_has_run() {
        let mut machine = Machine::new(true);
        assert_eq!(machine.step(Input::Event(Event::Exit { code: 3 })), [Effect::Detach]);
        assert!(machine.step(Input::Event(CLEAR)).is_empty());
        machine.step(Input::Detached);
        assert!(machine.step(Input::Event(CLEAR)).is_empty());
        machine.step(Input::EndRan);
        assert_eq!(machine.step(Input::Event(CLEAR)), [Effect::Act(CLEAR)]);
        assert_eq!(machine.step(Input::Drained), [Effect::Finish(StopReason::Exit(3))]);
    }

    #[test]
    fn an_end_from_outside_drops_no_event() {
        let mut machine = Machine::new(true);
        machine.step(Input::StopRequested);
        assert_eq!(machine.step(Input::Event(CLEAR)), [Effect::Act(CLEAR)]);
    }

    #[test]
    fn the_first_reason_stays_and_a_code_of_end_wins() {
        let mut machine = Machine::new(true);
        machine.step(Input::DeadlinePassed);
        assert!(machine.step(Input::StopRequested).is_empty());
        assert_eq!(machine.reason(), Some(StopReason::Deadline));
        machine.step(Input::Detached);
        machine.step(Input::EndRan);
        machine.step(Input::Event(Event::Exit { code: 7 }));
        assert_eq!(machine.step(Input::Drained), [Effect::Finish(StopReason::Exit(7))]);
    }

    #[test]
    fn nothing_happens_after_the_end() {
        let mut machine = Machine::new(false);
        let effects = machine.step(Input::Drained);
        finish(&mut machine, effects);
        for input in [Input::Event(CLEAR), Input::StopRequested, Input::DeadlinePassed, Input::Drained] {
            assert!(machine.step(input).is_empty());
        }
    }
}
