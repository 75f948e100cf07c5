//! A workload of which is known beforehand what a script sees of it: a process with a name of its own that reads so many
//! times so many bytes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Answer;

/// A copy of dd under a name that no other process of the machine has.
#[derive(Debug)]
pub struct Reader {
    program: PathBuf,
    name: String,
}

impl Reader {
    /// Puts the copy into `folder`. Scripts know its processes by `comm`, which is [`Reader::name`].
    ///
    /// # Panics
    /// When there is no dd, or no room for it.
    pub fn new(folder: &Path, tag: &str) -> Reader {
        let name = format!("{tag}-{}", std::process::id());
        // What the kernel keeps of a name.
        assert!(name.len() <= 15, "{name} is too long");
        let program = folder.join(&name);
        fs::copy("/usr/bin/dd", &program).expect("a copy of dd");
        Reader { program, name }
    }

    /// Its `comm`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A predicate for `sys_exit_read` that holds for reads of this process that returned one of `sizes`: those that the
    /// loader and the C library make return other sizes.
    pub fn predicate(&self, sizes: &[u64]) -> String {
        let sizes: Vec<String> = sizes.iter().map(|size| format!("args.ret == {size}")).collect();
        format!("comm == \"{}\" && ({})", self.name, sizes.join(" || "))
    }

    /// Reads `bytes` bytes `times` times.
    ///
    /// # Panics
    /// When it fails.
    #[track_caller]
    pub fn read(&self, bytes: u64, times: u64) {
        let mut dd = Command::new(&self.program);
        dd.args(["if=/dev/zero", "of=/dev/null", &format!("bs={bytes}"), &format!("count={times}")]);
        Answer::of(dd.env("LC_ALL", "C")).expect();
    }
}
