//! Probes of programs that the tests compile themselves.
//!
//! Says `SKIP` and why where this process may not trace, or where there is no compiler.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use agent::preflight;
use agent::run::{RunError, RunOptions, run};
use tempfile::TempDir;

/// A program in a folder of its own.
struct Program {
    folder: TempDir,
    path: PathBuf,
}

impl Program {
    /// Compiles a source of this folder, if there is the compiler.
    fn compile(compiler: &str, source: &str, flags: &[&str]) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("shop");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/user_programs").join(source);
        let built = Command::new(compiler).args(flags).arg("-o").arg(&path).arg(&source).status();
        match built {
            Ok(status) => assert!(status.success(), "{compiler} {flags:?} {}", source.display()),
            Err(error) => {
                println!("SKIP: {compiler}: {error}");
                return None;
            }
        }
        Some(Self { folder, path })
    }

    fn tool(&self, tool: &str, args: &[&str]) {
        let status =
            Command::new(tool).args(args).current_dir(self.folder.path()).status().expect("a tool of binutils");
        assert!(status.success(), "{tool} {args:?}");
    }

    /// Where a function is, in a program that is linked to fixed addresses.
    fn address_of(&self, function: &str) -> u64 {
        let listed = Command::new("nm").arg(&self.path).output().expect("a tool of binutils").stdout;
        let listed = String::from_utf8_lossy(&listed);
        let line = listed.lines().find(|line| line.ends_with(&format!(" T {function}"))).expect("a function");
        u64::from_str_radix(&line[..16], 16).expect("an address")
    }

    /// Runs a script along with the program; `APP` stands for the program's path.
    fn trace(&self, script: &str) -> Result<String, RunError> {
        self.trace_with(script, |_| ())
    }

    fn trace_with(&self, script: &str, change: impl FnOnce(&mut RunOptions)) -> Result<String, RunError> {
        let path = self.path.display().to_string();
        let output = self.folder.path().join("output");
        let mut options = RunOptions {
            name: "stdin".to_owned(),
            source: script.replace("APP", &path),
            duration: Some(Duration::from_secs(10)),
            quiet: true,
            command: Some(path),
            output: Some(output.clone()),
            ..RunOptions::default()
        };
        change(&mut options);
        run(&options)?;
        let printed = std::fs::read_to_string(output).expect("the output");
        Ok(printed.trim_end().to_owned() + "\n")
    }

    fn printed(&self, script: &str) -> String {
        self.trace(script).unwrap_or_else(|error| panic!("{script}\n{error}"))
    }

    fn refused(&self, script: &str) -> String {
        match self.trace(script) {
            Ok(printed) => panic!("{script}\n{printed}"),
            Err(error) => error.to_string(),
        }
    }
}

/// The program, where tracing and the compiler are at hand.
macro_rules! program {
    ($compiler:literal, $source:literal $(, $flag:literal)*) => {{
        let missing = preflight::missing();
        if !missing.is_empty() {
            println!("SKIP: {}", missing[0]);
            return;
        }
        match Program::compile($compiler, $source, &["-g", "-O0" $(, $flag)*]) {
            Some(program) => program,
            None => return,
        }
    }};
}

mod debug_info;
mod markers;
mod past;
