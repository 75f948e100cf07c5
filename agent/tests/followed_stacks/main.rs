//! Stacks of processes that keep no frame pointers, followed by tables: real programs, real events.
//!
//! Says `SKIP` and why where this process may not trace, or there is no C compiler.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use agent::preflight;
use agent::run::{RunOptions, run};
use agent::session::{Output, Session, SessionOptions};
use report::snapshot::Snapshot;

/// From the innermost function to the outermost, as far as they are the program's own.
const CHAIN: [&str; 6] = ["leaf", "middle", "compare", "outer", "main", "_start"];

/// The programs, in a folder of their own.
struct Fixture {
    folder: tempfile::TempDir,
}

impl Fixture {
    /// Compiled; `None` where it cannot be or may not be traced, which is said.
    fn new() -> Option<Self> {
        let missing = preflight::missing();
        if !missing.is_empty() || cfg!(not(target_arch = "x86_64")) {
            println!("SKIP: tracing needs {missing:?}; following stacks needs x86-64");
            return None;
        }
        let folder = tempfile::tempdir().expect("a folder");
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/followed_stacks");
        for (source, name, options) in
            [("program.c", "program", &["-pie"][..]), ("library.c", "late.so", &["-shared"][..])]
        {
            let mut compiler = Command::new("cc");
            compiler.args(["-O2", "-fomit-frame-pointer", "-fPIC", "-o"]).arg(folder.path().join(name));
            let Ok(status) = compiler.arg(sources.join(source)).args(options).status() else {
                println!("SKIP: needs a C compiler");
                return None;
            };
            assert!(status.success(), "{source} is compiled");
        }
        Some(Self { folder })
    }

    fn program(&self) -> PathBuf {
        self.folder.path().join("program")
    }

    /// Runs the program under a script that counts in `@`, and yields what was counted and said. `followed` is whether its tables are
    /// there from the start on.
    fn trace(&self, argument: &str, script: &str, followed: bool) -> (Vec<(Vec<String>, u64)>, Vec<String>) {
        let mut program = Program(
            Command::new(self.program())
                .args([argument, &self.folder.path().join("late.so").display().to_string()])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .expect("it runs"),
        );
        let pid = program.0.id();
        let script = script.replace("PROGRAM", &self.program().display().to_string()).replace("PID", &pid.to_string());
        let options =
            SessionOptions { followed: if followed { vec![pid] } else { vec![] }, ..SessionOptions::default() };
        let mut session = attached(&script, options);
        let mut outputs = Vec::new();
        program.go_on();
        let stop = session.stop_handle();
        let done = std::thread::scope(|scope| {
            let waiter = scope.spawn(|| {
                program.wait_for_byte();
                stop.stop();
            });
            while let agent::session::Polled::Running =
                session.poll(std::time::Duration::from_secs(1), None, &mut outputs).expect("events")
            {}
            waiter.join()
        });
        done.expect("the program says that it is done");
        let left = session.finish(&mut outputs).expect("an end");
        let warnings = outputs.into_iter().map(|output| match output {
            Output::Warning(text) => text,
            other => panic!("{other:?}"),
        });
        (stacks(&left.snapshot), warnings.collect())
    }
}

/// A program, ended when it is dropped.
struct Program(Child);

impl Program {
    fn go_on(&mut self) {
        self.0.stdin.as_mut().expect("its input").write_all(b"x").expect("it reads");
    }

    fn wait_for_byte(&mut self) {
        self.0.stdout.as_mut().expect("its output").read_exact(&mut [0]).expect("it writes");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn attached(source: &str, options: SessionOptions) -> Session {
    let script = lang::parse(source).expect("a script");
    let target = agent::target::gather(&lang::needs::needs(&script)).expect("a target");
    let compiled = lang::compile(source, &script, &target, &lang::options::Options::default());
    let compiled = compiled.unwrap_or_else(|found| panic!("{}", lang::render::terminal("stdin", source, &found)));
    Session::start(compiled, options).unwrap_or_else(|error| panic!("{}", error.render("stdin", source)))
}

/// The functions of each stack in `@`, and how often it was there.
fn stacks(snapshot: &Snapshot) -> Vec<(Vec<String>, u64)> {
    let printed = report::text::snapshot(snapshot);
    let mut found = Vec::new();
    let mut frames: Vec<String> = Vec::new();
    for line in printed.lines() {
        if let Some((rest, count)) = line.split_once("]: ") {
            // What else the key has.
            frames.extend(Some(rest.to_owned()).filter(|rest| !rest.is_empty()));
            found.push((std::mem::take(&mut frames), count.parse().expect("a count")));
        } else if let Some(frame) = line.trim().split('+').next().filter(|frame| !frame.is_empty() && *frame != "@[") {
            frames.push(frame.to_owned());
        }
    }
    found
}

/// Whether these functions are on a stack in this order.
fn has(stack: &[String], functions: &[&str]) -> bool {
    let mut frames = stack.iter();
    functions.iter().all(|function| frames.any(|frame| frame == function))
}

#[test]
fn a_function_has_its_whole_stack_through_a_library() {
    let Some(fixture) = Fixture::new() else { return };
    let (stacks, warnings) = fixture.trace("call", "uprobe:PROGRAM:leaf { @[dw_ustack()] = count(); }", true);
    assert_eq!(stacks.len(), 1, "{stacks:?}");
    let (stack, count) = &stacks[0];
    assert!(*count >= 100 && has(stack, &CHAIN), "{stacks:?}");
    assert_eq!(stack.first().map(String::as_str), Some("leaf"), "{stacks:?}");
    assert_eq!(warnings, [""; 0]);
}

#[test]
fn a_system_call_has_the_stack_it_was_made_from() {
    let Some(fixture) = Fixture::new() else { return };
    let script = "tracepoint:syscalls:sys_enter_rmdir /pid == PID/ { @[dw_ustack()] = count(); }";
    let (stacks, _) = fixture.trace("call", script, true);
    assert_eq!(stacks.len(), 1, "{stacks:?}");
    assert!(stacks[0].1 >= 100 && has(&stacks[0].0, &CHAIN), "{stacks:?}");
    let (stacks, _) = fixture.trace("call", &script.replace("()] =", "(3)] ="), true);
    assert_eq!(stacks.iter().map(|stack| stack.0.len()).collect::<Vec<_>>(), [3], "{stacks:?}");
    let counted =
        script.replace("@[dw_ustack()]", "$stack = dw_ustack(4); @[dw_ustack(), len($stack), len(dw_ustack(127)) > 8]");
    let (stacks, _) = fixture.trace("call", &counted, true);
    assert!(stacks.len() == 1 && has(&stacks[0].0, &["_start", ", 4, true"]), "{stacks:?}");
}

#[test]
fn samples_have_whole_stacks_wherever_they_are_taken() {
    let Some(fixture) = Fixture::new() else { return };
    let (stacks, _) = fixture.trace("spin", "profile:hz:2999 /pid == PID/ { @[dw_ustack()] = count(); }", true);
    let whole = |stack: &[String]| has(stack, &["main", "_start"]);
    let samples: u64 = stacks.iter().map(|stack| stack.1).sum();
    let others: Vec<_> = stacks.iter().filter(|(stack, _)| !whole(stack)).collect();
    let short: u64 = others.iter().map(|stack| stack.1).sum();
    assert!(samples >= 100, "{samples} samples");
    assert!(short * 50 <= samples, "{short} of {samples} are cut off: {others:?}");
}

#[test]
fn a_signals_handler_has_the_stack_of_what_it_interrupted() {
    let Some(fixture) = Fixture::new() else { return };
    let (stacks, _) = fixture.trace("signal", "uprobe:PROGRAM:leaf { @[dw_ustack()] = count(); }", true);
    assert_eq!(stacks.len(), 1, "{stacks:?}");
    assert!(has(&stacks[0].0, &["leaf", "middle", "handler", "interrupted", "main", "_start"]), "{stacks:?}");
}

#[test]
fn a_function_that_aligns_its_stack_has_callers() {
    let Some(fixture) = Fixture::new() else { return };
    let (stacks, _) = fixture.trace("align", "uprobe:PROGRAM:leaf { @[dw_ustack()] = count(); }", true);
    assert_eq!(stacks.len(), 1, "{stacks:?}");
    assert!(has(&stacks[0].0, &["leaf", "middle", "aligned", "main", "_start"]), "{stacks:?}");
    let (stacks, _) = fixture.trace("hand", "uprobe:PROGRAM:leaf { @[dw_ustack()] = count(); }", true);
    assert_eq!(stacks.len(), 1, "{stacks:?}");
    assert!(has(&stacks[0].0, &["leaf", "middle", "by_hand", "main", "_start"]), "{stacks:?}");
}

#[test]
fn a_process_that_was_not_named_is_followed_once_it_was_met() {
    let Some(fixture) = Fixture::new() else { return };
    let (stacks, warnings) = fixture.trace("late", "uprobe:PROGRAM:leaf { @[dw_ustack()] = count(); }", false);
    let count = |of: &dyn Fn(&[String]) -> bool| -> u64 {
        stacks.iter().filter(|(stack, _)| of(stack)).map(|(_, count)| count).sum()
    };
    let (whole, cut) = (count(&|stack| has(stack, &CHAIN)), count(&|stack| stack.len() == 1));
    assert!(whole > 0 && cut > 0, "{stacks:?}");
    assert_eq!(whole + cut, count(&|_| true), "{stacks:?}");
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("are cut off"), "{warnings:?}");
}

#[test]
fn a_library_that_is_loaded_later_is_followed_once_it_was_met() {
    let Some(fixture) = Fixture::new() else { return };
    let (stacks, warnings) = fixture.trace("load", "uprobe:PROGRAM:leaf { @[dw_ustack()] = count(); }", true);
    let whole = |stack: &[String]| has(stack, &["leaf", "middle", "call", "load", "main", "_start"]);
    assert!(stacks.iter().any(|(stack, _)| whole(stack)), "{stacks:?}");
    assert_eq!(warnings, [""; 0]);
}

#[test]
fn a_forked_child_is_followed_from_its_first_event_on() {
    let Some(fixture) = Fixture::new() else { return };
    let script =
        "tracepoint:syscalls:sys_enter_rmdir /comm == \"program\" && pid != PID/ { @[dw_ustack(perf)] = count(); }";
    let (stacks, warnings) = fixture.trace("fork", script, true);
    assert_eq!(stacks.len(), 1, "{stacks:?}");
    assert!(stacks[0].0.len() >= CHAIN.len() + 2, "{stacks:?}");
    assert_eq!(warnings, [""; 0]);
}

#[test]
fn a_command_is_followed_from_its_first_event_on() {
    let Some(fixture) = Fixture::new() else { return };
    let (program, output) = (fixture.program().display().to_string(), fixture.folder.path().join("output"));
    let options = RunOptions {
        name: "stdin".to_owned(),
        source: format!("uprobe:{program}:leaf {{ printf(\"%s\\n\", dw_ustack()); exit(); }}"),
        command: Some(program),
        output: Some(output.clone()),
        quiet: true,
        ..RunOptions::default()
    };
    assert_eq!(run(&options).expect("it runs"), 0);
    let printed = std::fs::read_to_string(output).expect("what it printed");
    let stack: Vec<String> =
        printed.lines().filter_map(|line| line.trim().split('+').next()).map(str::to_owned).collect();
    assert!(has(&stack, &CHAIN), "{printed}");
}
