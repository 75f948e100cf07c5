//! Running a program to its end and looking at what it said.

use std::process::{Command, Stdio};

/// What a finished program left behind.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The command line, for messages.
    pub command: String,
    /// Whether the exit code was 0.
    pub success: bool,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Answer {
    /// Runs `command` without standard input and waits for its end.
    ///
    /// # Panics
    /// When the program cannot be started.
    pub fn of(command: &mut Command) -> Answer {
        let text = std::iter::once(command.get_program())
            .chain(command.get_args())
            .map(|word| word.to_string_lossy())
            .collect::<Vec<_>>()
            .join(" ");
        let done = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("cannot run {text}: {error}"));
        Answer {
            command: text,
            success: done.status.success(),
            stdout: String::from_utf8_lossy(&done.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&done.stderr).into_owned(),
        }
    }

    /// Standard output of a program that succeeded.
    ///
    /// # Panics
    /// When it failed, with what it printed.
    #[track_caller]
    pub fn expect(self) -> String {
        assert!(self.success, "failed: {}\n{}{}", self.command, self.stdout, self.stderr);
        self.stdout
    }
}
