//! Following the stacks of processes: has the tables made that programs read.

use std::io;

use super::output::{Output, Sink};
use super::{Session, SessionError};
use crate::unwind::Unwinder;

impl Session {
    /// Makes the tables for following stacks that programs have asked for.
    pub(super) fn answer_requests(&mut self, sink: &mut dyn Sink) -> Result<(), SessionError> {
        let Some(unwinder) = &mut self.loaded.unwinder else { return Ok(()) };
        unwinder.answer().map_err(|error| SessionError::Kernel { what: "following stacks", error })?;
        for warning in unwinder.take_warnings() {
            sink.take(Output::Warning(warning))?;
        }
        Ok(())
    }

    /// Makes the tables for following a process's stacks as its code is mapped now.
    pub fn follow(&mut self, pid: u32) -> Result<(), SessionError> {
        match &mut self.loaded.unwinder {
            Some(unwinder) => learn(unwinder, &[pid]),
            None => Ok(()),
        }
    }

    /// Whether the script follows stacks by tables.
    pub fn follows_stacks(&self) -> bool {
        self.loaded.unwinder.is_some()
    }
}

/// Makes the tables of processes.
pub(super) fn learn(unwinder: &mut Unwinder, processes: &[u32]) -> Result<(), SessionError> {
    for pid in processes {
        let failed = |error: io::Error| {
            let error = io::Error::new(error.kind(), format!("process {pid}: {error}"));
            SessionError::Kernel { what: "following stacks", error }
        };
        unwinder.learn(*pid).map_err(failed)?;
    }
    Ok(())
}
