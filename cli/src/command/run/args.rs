//! The command line of `bpfleet run`, which is bpftrace's too.

use std::path::PathBuf;
use std::time::Duration;

use clap::ArgAction;

/// Run a script on this machine
#[derive(clap::Args)]
pub struct Args {
    /// The script itself, instead of a file
    #[arg(short = 'e', value_name = "SCRIPT", allow_hyphen_values = true, overrides_with = "program")]
    pub program: Option<String>,
    /// The script's file (`-` for standard input) unless -e is given, then the script's arguments: $1, $2 ..., and after `--`
    /// named ones as --name=value
    #[arg(value_name = "FILE | ARGUMENT")]
    pub words: Vec<String>,
    /// List probes that match a pattern, or those of a script
    #[arg(short, long)]
    pub list: bool,
    /// Say more; with -l, the arguments of probes too
    #[arg(short, long)]
    pub verbose: bool,
    /// How output is printed: text, json, or folded (stacks as flame graph tools read them, all else to standard error)
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub format: String,
    /// Write the script's output to this file
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// When output is handed on: line, full or none
    #[arg(short = 'B', value_name = "MODE")]
    pub buffering: Option<String>,
    /// Count only what this process does; end when it ends
    #[arg(short, long)]
    pub pid: Option<String>,
    /// Follow this process's stacks from the first event on (`dw_ustack`), beside that of -p or -c; may be given more than once
    #[arg(long, value_name = "PID")]
    pub dwarf_pid: Vec<String>,
    /// Run this command, limit user probes to it, and end when it ends
    #[arg(short, long, value_name = "COMMAND")]
    pub cmd: Option<String>,
    /// End after this time: 30s, 5m, 1h
    #[arg(long = "for", value_name = "TIME", value_parser = super::parse_duration)]
    pub duration: Option<Duration>,
    /// Print nothing but the script's output and errors
    #[arg(short, long)]
    pub quiet: bool,
    /// Warn where reading memory or looking up a map's key fails
    #[arg(short = 'k', long, action = ArgAction::Count)]
    pub warnings: u8,
    /// Leave out warnings
    #[arg(long)]
    pub no_warnings: bool,
    /// Allow functions that change the system
    #[arg(long = "unsafe")]
    pub unsafe_allowed: bool,
    /// Compile and attach, and stop there
    #[arg(long)]
    pub dry_run: bool,
    /// Print what this kernel can do
    #[arg(long)]
    pub info: bool,
    /// Show what the script becomes: ast (as it is understood), hir (with types), ir (pass by pass), dis (its instructions), all
    #[arg(short, long, value_name = "STAGE", value_delimiter = ',')]
    pub debug: Vec<String>,
    /// codegen (compile only), format, test or bench
    #[arg(long, value_name = "MODE")]
    pub mode: Option<String>,
    /// Run the script's test: probes
    #[arg(long)]
    pub test: bool,
    /// Run the script's bench: probes
    #[arg(long)]
    pub bench: bool,
    /// Print the script in its canonical layout
    #[arg(long)]
    pub fmt: bool,
    /// Keep only the probes whose name matches this regular expression
    #[arg(long, value_name = "REGEX")]
    pub probe_filter: Option<String>,
    /// Another folder with debug files of programs; a relative one is looked for beside each program
    #[arg(long, value_name = "DIR")]
    pub debuginfo: Vec<String>,
    /// Read the list of traceable functions from a file
    #[arg(long, value_name = "FILE", hide = true)]
    pub traceable_functions: Option<String>,
    /// Add a directory to those #include looks in
    #[arg(short = 'I', value_name = "DIR", hide = true)]
    pub include_directories: Vec<PathBuf>,
    #[command(flatten)]
    ignored: Ignored,
}

/// What bpftrace takes and bpfleet has no use for, so that command lines written for it work.
#[derive(clap::Args)]
pub struct Ignored {
    /// Include a file before the script
    #[arg(long, value_name = "FILE", hide = true)]
    include: Vec<PathBuf>,
    /// Do without a feature of the kernel
    #[arg(long, value_name = "FEATURE", hide = true)]
    no_feature: Option<String>,
    /// Raise the semaphores of user probes for every process that maps the file, which is what the kernel does
    #[arg(long, hide = true)]
    usdt_file_activation: bool,
    /// There is no LLVM here
    #[arg(long, hide = true)]
    verify_llvm_ir: bool,
    /// BTF is always used
    #[arg(short = 'b', long, hide = true)]
    btf: bool,
}

/// What a command line asks to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Run the script.
    Run,
    /// Only compile it.
    Compile,
    /// Print it in its canonical layout.
    Format,
    /// Run its `test:` probes.
    Test,
    /// Run its `bench:` probes.
    Bench,
}

impl Args {
    /// What is asked for.
    ///
    /// # Errors
    /// Two different things, or something unknown, in words for the user.
    pub fn task(&self) -> Result<Task, String> {
        let mode = match self.mode.as_deref() {
            None => None,
            Some("codegen") => Some(Task::Compile),
            Some("format") => Some(Task::Format),
            Some("test") => Some(Task::Test),
            Some("bench") => Some(Task::Bench),
            Some(_) => return Err("--mode can only be 'codegen', 'bench', 'test' or 'format'.".to_owned()),
        };
        let mut asked = mode;
        for (flag, name, task) in
            [(self.test, "test", Task::Test), (self.bench, "bench", Task::Bench), (self.fmt, "fmt", Task::Format)]
        {
            if flag && asked.replace(task).is_some() {
                return Err(format!("--{name} conflicts with existing --mode"));
            }
        }
        Ok(asked.unwrap_or(Task::Run))
    }

    /// What the flags contradict each other in, in words for the user.
    pub fn conflict(&self) -> Option<String> {
        let (warnings, none) = (self.warnings, self.no_warnings);
        let text = match () {
            () if self.cmd.is_some() && self.pid.is_some() => "Cannot use both -c and -p.",
            () if warnings > 1 => "-kk is gone: a single -k warns of failed reads and of keys a map does not hold.",
            () if warnings > 0 && none => "-k, --warnings conflicts with --no-warnings",
            () if !matches!(self.buffering.as_deref(), None | Some("line" | "full" | "none")) => {
                "-B must be either 'line', 'full', or 'none'."
            }
            () => return None,
        };
        Some(text.to_owned())
    }
}
