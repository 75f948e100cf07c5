//! Collects what a session prints as lines of text, within the job's limit.

use std::io;

use report::event::HelperError;
use report::schema::{Part, PrintfTo};
use report::text;
use report::value::Text;

use crate::session::{Output, Sink};

/// Most bytes of one line; longer ones are broken.
const LINE_BYTES: usize = 4096;

/// The lines a session printed since they were last taken.
#[derive(Debug)]
pub struct Lines {
    lines: Vec<String>,
    unfinished: Vec<u8>,
    left: u32,
    dropped: u64,
}

impl Lines {
    /// Takes at most `limit` lines over the whole session.
    pub fn new(limit: u32) -> Self {
        Self { lines: Vec::new(), unfinished: Vec::new(), left: limit, dropped: 0 }
    }

    /// The finished lines.
    pub fn take_finished(&mut self) -> Vec<String> {
        std::mem::take(&mut self.lines)
    }

    /// The finished lines and what stands after the last line end.
    pub fn take_all(&mut self) -> Vec<String> {
        if !self.unfinished.is_empty() {
            self.end_line();
        }
        self.take_finished()
    }

    /// How many lines exceeded the limit.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    fn put(&mut self, printed: &[u8]) {
        for byte in printed {
            match byte {
                b'\n' => self.end_line(),
                byte => {
                    self.unfinished.push(*byte);
                    if self.unfinished.len() == LINE_BYTES {
                        self.end_line();
                    }
                }
            }
        }
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.unfinished);
        if self.left == 0 {
            self.dropped += 1;
        } else {
            self.left -= 1;
            self.lines.push(String::from_utf8_lossy(&line).into_owned());
        }
    }

    fn message(&mut self, kind: &str, at: Part, message: &str) {
        let Part { line, column, .. } = at;
        self.put(format!("{line}:{column}: {kind}: {}\n", message.trim_end()).as_bytes());
    }

    fn helper_error(&mut self, error: &HelperError) {
        self.message("WARNING", error.at, &text::helper_error(error));
    }
}

impl Sink for Lines {
    fn take(&mut self, output: Output) -> io::Result<()> {
        match output {
            Output::Printf { to: PrintfTo::Output, text: Text(text) } => self.put(&text),
            Output::Printf { to: PrintfTo::Error(site), text } => self.message("ERROR", site.at, &text.to_str_lossy()),
            Output::Printf { to: PrintfTo::Warning(site), text } => {
                self.message("WARNING", site.at, &text.to_str_lossy())
            }
            Output::Value(value) => {
                self.put(&text::value_bytes(&value));
                self.put(b"\n");
            }
            Output::Map { name, data, top, div } => self.put(text::map(&name, &data, top, div).as_bytes()),
            Output::Row { kind, cell } => {
                self.put(text::cell(&kind, &cell, None).as_bytes());
                self.put(b"\n");
            }
            Output::Time(text) => self.put(text.as_bytes()),
            Output::Join(Text(text)) => {
                self.put(&text);
                self.put(b"\n");
            }
            Output::Cat(Text(text)) | Output::System(Text(text)) => self.put(&text),
            Output::HelperError(error) => self.helper_error(&error),
            Output::Warning(message) => self.put(format!("WARNING: {message}\n").as_bytes()),
            Output::Failed(message) => self.put(format!("ERROR: {message}\n").as_bytes()),
            // Counted in the report itself.
            Output::LostEvents(_) => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printf(lines: &mut Lines, text: &str) {
        lines.take(Output::Printf { to: PrintfTo::Output, text: Text::from(text) }).expect("never fails");
    }

    #[test]
    fn a_line_may_come_in_pieces() {
        let mut lines = Lines::new(10);
        printf(&mut lines, "a");
        assert!(lines.take_finished().is_empty());
        printf(&mut lines, "b\nc");
        assert_eq!(lines.take_finished(), ["ab"]);
        assert_eq!(lines.take_all(), ["c"]);
        assert!(lines.take_all().is_empty());
    }

    #[test]
    fn lines_beyond_the_limit_are_counted() {
        let mut lines = Lines::new(2);
        printf(&mut lines, "1\n2\n");
        assert_eq!(lines.take_finished().len(), 2);
        printf(&mut lines, "3\n4\n");
        assert_eq!((lines.take_all().len(), lines.dropped()), (0, 2));
    }

    #[test]
    fn a_line_without_end_is_broken() {
        let mut lines = Lines::new(10);
        printf(&mut lines, &"x".repeat(LINE_BYTES + 1));
        assert_eq!(lines.take_all().iter().map(String::len).collect::<Vec<_>>(), [LINE_BYTES, 1]);
    }
}
