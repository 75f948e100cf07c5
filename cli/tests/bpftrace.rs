//! The command under the name `bpftrace`: what scripts and people written for it rely on.
//!
//! Says `SKIP` and why where this process may not trace.

use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::{Command, Output};

macro_rules! need_tracing {
    () => {
        let missing = agent::preflight::missing();
        if !missing.is_empty() {
            let list: Vec<String> = missing.iter().map(ToString::to_string).collect();
            println!("SKIP: {}", list.join("; "));
            return;
        }
    };
}

/// The command under its other name; the folder lives as long as this.
struct Bpftrace {
    folder: tempfile::TempDir,
}

impl Bpftrace {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary directory");
        symlink(env!("CARGO_BIN_EXE_bpfleet"), folder.path().join("bpftrace")).expect("a link");
        Self { folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("bpftrace")
    }

    fn run(&self, words: &[&str]) -> Ran {
        let output = Command::new(self.path()).args(words).env("TMPDIR", self.folder.path()).output();
        Ran::from(output.expect("bpftrace starts"))
    }
}

/// How a run ended.
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

#[test]
fn the_version_starts_as_tools_expect() {
    let ran = Bpftrace::new().run(&["-V"]);
    assert!(ran.out.starts_with("bpftrace v0."), "{}", ran.out);
    assert_eq!(ran.code, Some(0));
}

#[test]
fn help_goes_to_standard_output_and_wrong_flags_to_standard_error() {
    let bpftrace = Bpftrace::new();
    let help = bpftrace.run(&["--help"]);
    assert!(help.out.contains("USAGE:\n") && help.err.is_empty());
    for wrong in [&["-Z"][..], &["--nothing-like-it"], &[]] {
        let ran = bpftrace.run(wrong);
        assert!(ran.err.contains("USAGE:\n") && ran.out.is_empty(), "{wrong:?}: {}", ran.err);
        assert_eq!(ran.code, Some(1));
    }
}

#[test]
fn contradicting_flags_are_refused() {
    let bpftrace = Bpftrace::new();
    for (words, problem) in [
        (&["-q"][..], "ERROR: USAGE: filename or -e 'program' required."),
        (&["-p", "1", "-c", "ls", "-e", "begin { }"], "ERROR: USAGE: Cannot use both -c and -p."),
        (&["-k", "--no-warnings", "-e", "begin { }"], "ERROR: USAGE: -k, --warnings conflicts with --no-warnings"),
        (&["-B", "half", "-e", "begin { }"], "ERROR: USAGE: -B must be either 'line', 'full', or 'none'."),
        (&["--test", "--bench", "-e", "begin { }"], "ERROR: USAGE: --bench conflicts with existing --mode"),
        (&["-p", "x1", "-e", "begin { }"], "ERROR: Failed to parse pid: invalid integer: x1"),
        (&["/no/such/script.bt"], "ERROR: failed to open file '/no/such/script.bt': No such file or directory"),
    ] {
        let ran = bpftrace.run(words);
        assert_eq!(ran.err.lines().next(), Some(problem));
        assert_eq!(ran.code, Some(1), "{words:?}");
    }
}

#[test]
fn a_process_that_does_not_exist_cannot_be_traced() {
    need_tracing!();
    let ran = Bpftrace::new().run(&["-p", "4194304", "-e", "begin { exit(); }"]);
    assert!(ran.err.starts_with("ERROR: Failed to attach to pid: "), "{}", ran.err);
    assert_eq!(ran.code, Some(1));
}

#[test]
fn a_script_comes_with_its_arguments_and_gives_its_exit_code() {
    need_tracing!();
    let bpftrace = Bpftrace::new();
    let script = r#"begin { printf("%s %d %s\n", str($1), $2, getopt("name", "nobody")); exit(7); }"#;
    let ran = bpftrace.run(&["-q", "-e", script, "one", "2", "--", "--name=three"]);
    assert_eq!((ran.out.as_str(), ran.code), ("one 2 three\n\n\n", Some(7)), "{}", ran.err);
    let file = bpftrace.folder.path().join("script.bt");
    std::fs::write(&file, script).expect("a script");
    let ran = bpftrace.run(&[file.to_str().expect("a path"), "1", "2"]);
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("1 2 nobody\n\n\n", "Attached 1 probe\n"));
}

#[test]
fn a_command_runs_once_probes_are_attached_and_its_end_ends_the_script() {
    need_tracing!();
    let script = r#"tracepoint:syscalls:sys_enter_write /comm == "echo"/ { @ = count(); } end { printf("end\n"); }"#;
    let ran = Bpftrace::new().run(&["-c", "/bin/echo hello  world", "-e", script]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_eq!(ran.out, "hello world\nend\n\n\n@: 1\n");
}

#[test]
fn a_command_that_cannot_run_is_named() {
    need_tracing!();
    let ran = Bpftrace::new().run(&["-c", "/etc/passwd", "-e", "begin { }"]);
    let problem = "ERROR: Failed to fork child: path '/etc/passwd' does not exist or is not executable\n";
    assert_eq!((ran.err.as_str(), ran.code), (problem, Some(1)));
}

#[test]
fn the_end_of_the_traced_process_ends_the_script() {
    need_tracing!();
    let mut process = Command::new("sleep").arg("0.3").spawn().expect("sleep");
    let pid = process.id().to_string();
    let waiter = std::thread::spawn(move || process.wait());
    let ran = Bpftrace::new().run(&["-p", &pid, "-e", "interval:s:1000 { } end { printf(\"end\\n\"); }"]);
    assert_eq!((ran.out.as_str(), ran.code), ("end\n\n\n", Some(0)), "{}", ran.err);
    assert!(waiter.join().expect("a waiter").expect("sleep ends").success());
}

#[test]
fn a_dry_run_attaches_and_prints_nothing() {
    need_tracing!();
    let ran = Bpftrace::new().run(&["--dry-run", "-e", "begin { printf(\"hi\\n\"); } interval:s:1 { exit(1); }"]);
    assert_eq!((ran.out.as_str(), ran.code), ("", Some(0)), "{}", ran.err);
}

#[test]
fn a_script_is_formatted() {
    let ran = Bpftrace::new().run(&["--fmt", "-e", "// what for\nbegin{@a=1;/* why */}"]);
    let formatted = "// what for\nbegin {\n  @a = 1; /* why */\n}\n";
    assert_eq!((ran.out.as_str(), ran.code), (formatted, Some(0)), "{}", ran.err);
}

#[test]
fn probes_are_listed_by_pattern_by_script_and_with_arguments() {
    need_tracing!();
    let bpftrace = Bpftrace::new();
    let listed = bpftrace.run(&["-l", "tracepoint:raw_syscalls:*"]).out;
    assert_eq!(listed, "tracepoint:raw_syscalls:sys_enter\ntracepoint:raw_syscalls:sys_exit\n");
    let listed = bpftrace.run(&["-lv", "tracepoint:raw_syscalls:sys_exit"]).out;
    assert_eq!(listed, "tracepoint:raw_syscalls:sys_exit\n    long id\n    long ret\n");
    let script = "begin { } interval:ms:10 { } hardware:cache-misses:10 { } t:raw_syscalls:sys_exit { }";
    let listed = bpftrace.run(&["-l", "-e", script]).out;
    assert_eq!(listed, "interval:ms:\nhardware:cache-misses:\ntracepoint:raw_syscalls:sys_exit\n");
    let listed = bpftrace.run(&["-lv", "struct list_head"]).out;
    assert_eq!(listed, "vmlinux: struct list_head {\n\tstruct list_head *next;\n\tstruct list_head *prev;\n};\n");
    let file = env!("CARGO_BIN_EXE_bpfleet");
    let listed = bpftrace.run(&["-l", &format!("uprobe:{file}:main")]).out;
    assert_eq!(listed, format!("uprobe:{file}:main\n"));
}

#[test]
fn folded_output_is_stacks_alone() {
    need_tracing!();
    let script = "t:raw_syscalls:sys_enter { @[comm, kstack] = count(); @n = count(); printf(\"hi\\n\"); exit(); }";
    let ran = Bpftrace::new().run(&["-q", "-f", "folded", "-e", script]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.out.contains("entry_SYSCALL_64_after_hwframe;"), "{}", ran.out);
    assert!(
        ran.out.lines().all(|line| line.rsplit_once(' ').is_some_and(|(_, n)| n.parse::<u64>().is_ok())),
        "{}",
        ran.out
    );
    assert!(ran.err.contains("hi\n") && ran.err.contains("@n: "), "{}", ran.err);
}

#[test]
fn a_name_that_looks_like_a_file_is_told_to_be_a_pattern() {
    let ran = Bpftrace::new().run(&["-l", "missing.bt"]);
    assert!(ran.err.starts_with("WARNING: It appears that 'missing.bt' is a filename"), "{}", ran.err);
}

#[test]
fn a_warning_of_the_script_marks_the_call() {
    need_tracing!();
    let ran = Bpftrace::new().run(&["-q", "-e", "begin { warnf(\"odd %d\", 7); }"]);
    assert_eq!(ran.err, "stdin:1:9-27: WARNING: odd 7\nbegin { warnf(\"odd %d\", 7); }\n        ~~~~~~~~~~~~~~~~~~\n");
}

#[test]
fn what_is_wrong_with_a_script_is_told_without_codes() {
    let ran = Bpftrace::new().run(&["-e", "config = { nothing = 1 } begin { }"]);
    assert_eq!(ran.err.lines().next(), Some("stdin:1:12-23: ERROR: nothing: not a known configuration option"));
    assert_eq!(ran.code, Some(1));
}

#[test]
fn named_arguments_nobody_asks_for_are_refused_and_help_lists_those_that_are() {
    let bpftrace = Bpftrace::new();
    let script = "begin { print(getopt(\"top\", 10, \"how many\")); }";
    let ran = bpftrace.run(&["-e", script, "--", "--bottom"]);
    let told = "ERROR: unexpected program command line options: --bottom\nHINT: expected program options: --top\n";
    assert_eq!((ran.err.as_str(), ran.code), (told, Some(1)));
    let ran = bpftrace.run(&["-e", script, "--", "--help"]);
    assert_eq!((ran.err.as_str(), ran.code), ("HINT: expected program options:\n    --top: how many\n", Some(1)));
}

#[test]
fn settings_come_from_the_environment_and_other_variables_are_left_alone() {
    need_tracing!();
    let bpftrace = Bpftrace::new();
    let run = |name: &str, value: &str| {
        let mut command = Command::new(bpftrace.path());
        let output = command.args(["-q", "-e", "begin { @a = 1; }"]).env(name, value).output();
        Ran::from(output.expect("bpftrace starts"))
    };
    assert_eq!(run("BPFTRACE_PRINT_MAPS_ON_EXIT", "0").out, "\n\n");
    assert_eq!(run("BPFTRACE_COLOR", "never").out, "\n\n@a: 1\n");
    assert_eq!(run("BPFTRACE_PRINT_MAPS_ON_EXIT", "maybe").code, Some(1));
}

#[test]
fn a_script_whose_events_take_long_ends_soon_after_it_is_asked_to() {
    need_tracing!();
    let script = "interval:us:50 { system(\"sleep 0.01\"); } end { printf(\"end\\n\"); }";
    let started = std::time::Instant::now();
    let ran = Bpftrace::new().run(&["--unsafe", "--for", "1s", "-e", script]);
    assert_eq!(ran.out, "end\n\n\n", "{}", ran.err);
    assert!(ran.err.contains("Lost "), "{}", ran.err);
    assert!(started.elapsed() < std::time::Duration::from_secs(4), "{:?}", started.elapsed());
}

#[test]
fn only_probes_whose_names_match_the_filter_are_attached() {
    need_tracing!();
    let bpftrace = Bpftrace::new();
    let script = r#"begin { printf("begin\n"); } i:ms:10 { printf("early\n"); exit(); } interval:ms:50 { printf("late\n"); exit(); }
                    tracepoint:no:such { } "#;
    let ran = bpftrace.run(&["--probe-filter", ":ms:(40|50)$", "-e", script]);
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("begin\nlate\n\n\n", "Attached 2 probes\n"));
    let ran = bpftrace.run(&["--probe-filter", "nothing_like_it", "-e", "interval:ms:10 { }"]);
    assert_eq!((ran.err.as_str(), ran.code), ("No probes to attach\n", Some(1)));
    let ran = bpftrace.run(&["--probe-filter", "[a", "-e", "interval:ms:10 { }"]);
    assert!(ran.err.contains("ERROR: Invalid --probe-filter regex '[a': unclosed character class"), "{}", ran.err);
}

#[test]
fn stages_of_a_script_are_shown_and_others_refused() {
    need_tracing!();
    let bpftrace = Bpftrace::new();
    let ran = bpftrace.run(&["-d", "ast,dis", "--mode", "codegen", "-e", "begin{@a=1;}"]);
    assert!(ran.out.starts_with("begin {\n  @a = 1;\n}\n"), "{}", ran.out);
    assert!(ran.out.trim_end().ends_with("exit"), "{}", ran.out);
    let ran = bpftrace.run(&["-d", "hir,ir", "--mode", "codegen", "-e", "begin { $a = pid; @a[1] = $a + 1; }"]);
    assert!(ran.out.starts_with("@a[int8]: uint64, 4096 elements\nbegin\n    $v0: uint32\n"), "{}", ran.out);
    assert!(ran.out.contains("@a[1: int8] = ($v0 + 1): uint64\n"), "{}", ran.out);
    for part in ["begin, as made:\n", "begin, after sweep:\n", "begin, in the end:\n"] {
        assert!(ran.out.contains(part), "{part}: {}", ran.out);
    }
    let ran = bpftrace.run(&["-d", "codegen", "-e", "begin { }"]);
    assert_eq!(ran.err, "ERROR: USAGE: invalid option for -d: codegen; it takes ast, hir, ir, dis or all\n");
    assert_eq!(bpftrace.run(&["--test", "-e", "test:a { }"]).code, Some(0));
    assert_eq!(bpftrace.run(&["--test", "-e", "test:a { return 1; }"]).code, Some(1));
}
