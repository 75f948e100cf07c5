//! Where a script comes from: a file, standard input or the command line.

use std::io::Read;

use anyhow::Context;

/// A script and what messages call it.
pub struct Source {
    /// `stdin` for a script of the command line or of standard input, as bpftrace has it; else the file's name.
    pub name: String,
    /// The text.
    pub text: String,
}

impl Source {
    /// The script of `-e`, or of the file; `-` is standard input.
    ///
    /// # Errors
    /// A file that cannot be read, or is not UTF-8.
    pub fn read(program: Option<String>, file: Option<String>) -> anyhow::Result<Self> {
        let stdin = "stdin".to_owned();
        match (program, file) {
            (Some(text), _) => Ok(Self { name: stdin, text }),
            (None, Some(file)) if file == "-" => {
                let mut text = String::new();
                std::io::stdin().read_to_string(&mut text).context("cannot read the script from standard input")?;
                Ok(Self { name: stdin, text })
            }
            (None, Some(file)) => {
                let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {file}"))?;
                Ok(Self { name: file, text })
            }
            (None, None) => anyhow::bail!("no script: give a FILE, or the script itself with -e"),
        }
    }
}
