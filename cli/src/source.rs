//! Where a script comes from: a file, standard input or the command line.

use std::io::{self, Read};

/// A script and what messages call it.
pub struct Source {
    /// `stdin` for a script of the command line or of standard input, as bpftrace has it; else the file's name.
    pub name: String,
    /// The text.
    pub text: String,
}

/// Why there is no script.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// Neither a file nor a text is named.
    #[error("no script: give a FILE, or the script itself with -e")]
    Absent,
    /// A file cannot be read, or is not UTF-8.
    #[error("failed to open file '{file}': {}", .error.to_string().split(" (os error").next().unwrap_or_default())]
    Unreadable {
        /// Which; `-` is standard input.
        file: String,
        /// Why.
        error: io::Error,
    },
}

impl Source {
    /// The script of `-e`, or of the file; `-` is standard input.
    ///
    /// # Errors
    /// A file that cannot be read, or is not UTF-8.
    pub fn read(program: Option<String>, file: Option<String>) -> Result<Self, SourceError> {
        let stdin = "stdin".to_owned();
        let file = match (program, file) {
            (Some(text), _) => return Ok(Self { name: stdin, text }),
            (None, Some(file)) => file,
            (None, None) => return Err(SourceError::Absent),
        };
        let read = match file.as_str() {
            "-" => {
                let mut text = String::new();
                io::stdin().read_to_string(&mut text).map(|_| Self { name: stdin, text })
            }
            path => std::fs::read_to_string(path).map(|text| Self { name: file.clone(), text }),
        };
        read.map_err(|error| SourceError::Unreadable { file, error })
    }
}
