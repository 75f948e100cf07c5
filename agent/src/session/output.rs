//! What a running session prints, as data, and who takes it.

use std::io;

use report::event::HelperError;
use report::schema::PrintfTo;
use report::snapshot::{Cell, Kind, MapData};
use report::value::{Text, Value};

/// One thing a script prints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Formatted text, without a newline of its own.
    Printf {
        /// Where to.
        to: PrintfTo,
        /// The text.
        text: Text,
    },
    /// A value, on a line of its own.
    Value(Value),
    /// A map.
    Map {
        /// Its name with the sigil.
        name: String,
        /// What it holds.
        data: MapData,
        /// Only the largest so many rows.
        top: Option<usize>,
        /// Divide what is printed.
        div: Option<u64>,
    },
    /// The value of one row of a map.
    Row {
        /// The map's kind.
        kind: Kind,
        /// The row's value.
        cell: Cell,
    },
    /// The time of day, formatted.
    Time(String),
    /// Joined arguments, on a line of their own.
    Join(Text),
    /// A file's contents.
    Cat(Text),
    /// What a shell command printed.
    System(Text),
    /// Something failed inside the kernel.
    HelperError(HelperError),
    /// Something that makes what a script prints less than it might be, in words.
    Warning(String),
    /// A script's request that could not be carried out, in words.
    Failed(String),
    /// So many events found the ring buffer full, since the last time this was said.
    LostEvents(u64),
}

/// Takes what a script prints.
pub trait Sink {
    /// Takes one thing. An error ends the session.
    fn take(&mut self, output: Output) -> io::Result<()>;
}

impl<F: FnMut(Output) -> io::Result<()>> Sink for F {
    fn take(&mut self, output: Output) -> io::Result<()> {
        self(output)
    }
}

/// Keeps everything, for a report.
impl Sink for Vec<Output> {
    fn take(&mut self, output: Output) -> io::Result<()> {
        self.push(output);
        Ok(())
    }
}
