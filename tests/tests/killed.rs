//! A tracer that is killed leaves nothing behind: nothing is pinned, so that with its last descriptor the kernel takes everything down.
//!
//! Says `SKIP` and why where this process may not trace.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use agent::{node_report, preflight};

/// A program with a static marker, which says for each line it reads how many listen to that.
const MARKED: &str = r#"
#include <stdio.h>

__attribute__((section(".probes"))) volatile unsigned short listeners;

int main(void) {
    while (getchar() != EOF) {
        __asm__ volatile("1: nop\n"
                         ".pushsection .note.stapsdt,\"\",\"note\"\n"
                         ".balign 4\n"
                         ".4byte 3f-2f, 5f-4f, 3\n"
                         "2: .asciz \"stapsdt\"\n"
                         "3: .balign 4\n"
                         "4: .8byte 1b, 0, listeners\n"
                         ".asciz \"shop\"\n.asciz \"sold\"\n.asciz \"\"\n"
                         "5: .balign 4\n"
                         ".popsection\n");
        printf("%d\n", listeners);
        fflush(stdout);
    }
}
"#;

/// How long the kernel may take: what is freed waits for every processor, and perf events wait one after the other.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the kernel calls the parts of a tracer.
#[derive(Debug, Default, PartialEq, Eq)]
struct Ids {
    programs: BTreeSet<u32>,
    maps: BTreeSet<u32>,
    links: BTreeSet<u32>,
}

impl Ids {
    /// Those that a process holds.
    fn of(process: u32) -> Self {
        let mut ids = Self::default();
        for entry in fs::read_dir(format!("/proc/{process}/fdinfo")).expect("a process").flatten() {
            let text = fs::read_to_string(entry.path()).unwrap_or_default();
            let number = |name| text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
            // A link's descriptor names its program too.
            match number("link_id:") {
                Some(id) => drop(ids.links.insert(id)),
                None => {
                    ids.programs.extend(number("prog_id:"));
                    ids.maps.extend(number("map_id:"));
                }
            }
        }
        ids
    }

    /// Those that are still in the kernel. Ids are not given out again for a long time.
    fn left(&self) -> Self {
        let programs = aya::programs::loaded_programs().flatten().map(|program| program.id());
        let maps = aya::maps::loaded_maps().flatten().map(|map| map.id());
        let links = aya::programs::loaded_links().flatten().map(|link| link.id());
        Self {
            programs: programs.filter(|id| self.programs.contains(id)).collect(),
            maps: maps.filter(|id| self.maps.contains(id)).collect(),
            links: links.filter(|id| self.links.contains(id)).collect(),
        }
    }
}

/// Whether this test has to be left out, which it says.
fn is_skipped() -> bool {
    let missing = preflight::missing();
    let list: Vec<String> = missing.iter().map(ToString::to_string).collect();
    if !list.is_empty() {
        println!("SKIP: {}", list.join("; "));
    }
    !list.is_empty()
}

/// Starts a tracer and waits until it has attached everything; `folder` takes what it says.
fn start(script: &str, folder: &Path) -> Child {
    let (out, err) = (folder.join("out"), folder.join("err"));
    let mut child = Command::new(bpfleet_tests::binary::bpfleet())
        .args(["run", "-e", script])
        .stdin(Stdio::null())
        .stdout(File::create(&out).expect("a file"))
        .stderr(File::create(&err).expect("a file"))
        .spawn()
        .expect("a tracer");
    let said = || fs::read_to_string(&out).expect("a file") + &fs::read_to_string(&err).expect("a file");
    let deadline = Instant::now() + PATIENCE;
    while !said().lines().any(|line| line.starts_with("Attached")) {
        assert!(child.try_wait().expect("a child").is_none() && Instant::now() < deadline, "{script}: {}", said());
        sleep(Duration::from_millis(5));
    }
    child
}

/// Polls until it is so, or for as long as is bearable.
fn within_patience(mut is_so: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if is_so() {
            return true;
        }
        if Instant::now() > deadline {
            return false;
        }
        sleep(Duration::from_millis(20));
    }
}

/// Starts a tracer, kills it, and waits until nothing of it is left.
fn kill(script: &str, links: usize) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut tracer = start(script, folder.path());
    let ids = Ids::of(tracer.id());
    assert!(!ids.programs.is_empty() && !ids.maps.is_empty() && ids.links.len() >= links, "{script}: {ids:?}");
    assert_eq!(ids.left(), ids, "{script}");
    tracer.kill().expect("a signal");
    tracer.wait().expect("its end");
    assert!(within_patience(|| ids.left() == Ids::default()), "{script}: {:?}", ids.left());
}

/// The program with the marker, where there is a compiler.
fn marked(folder: &Path) -> Option<PathBuf> {
    let (source, path) = (folder.join("marked.c"), folder.join("marked"));
    fs::write(&source, MARKED).expect("a source");
    match Command::new("gcc").arg("-o").arg(&path).arg(&source).status() {
        Ok(status) => assert!(status.success()),
        Err(error) => {
            println!("SKIP: gcc: {error}");
            return None;
        }
    }
    Some(path)
}

#[test]
fn nothing_is_left_of_a_killed_tracer_of_tracepoints_and_clocks() {
    if is_skipped() {
        return;
    }
    kill("tracepoint:sched:sched_switch { @[args.next_comm] = count(); } profile:hz:49 { @p = count(); }", 2);
    kill("rawtracepoint:sched_switch { @s = count(); } tracepoint:syscalls:sys_enter_* { @[probe] = count(); }", 2);
    kill("interval:ms:100 { @i = count(); } software:page-faults:1000 { @[comm] = count(); }", 2);
}

#[test]
fn nothing_is_left_of_a_killed_tracer_of_functions() {
    if is_skipped() {
        return;
    }
    kill("uprobe:libc:read { @ = count(); } uretprobe:libc:read { @r = hist(retval); }", 1);
    let kinds = node_report::kinds();
    if kinds.iter().any(|kind| kind.name == "kprobe" && kind.answer.is_ok()) {
        kill("kprobe:vfs_read { @ = count(); } kretprobe:vfs_read { @r = hist(retval); }", 1);
    }
}

#[test]
fn nobody_listens_to_a_marker_when_its_tracer_was_killed() {
    let folder = tempfile::tempdir().expect("a folder");
    if is_skipped() {
        return;
    }
    let Some(path) = marked(folder.path()) else { return };
    let mut program =
        Command::new(&path).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the program with the marker");
    let mut input = program.stdin.take().expect("its input");
    let mut output = BufReader::new(program.stdout.take().expect("its output"));
    let mut listeners = || {
        input.write_all(b"\n").expect("a line");
        let mut line = String::new();
        output.read_line(&mut line).expect("a line");
        line.trim().parse::<u32>().expect("a number")
    };
    assert_eq!(listeners(), 0);
    let mut tracer = start(&format!("usdt:{}:shop:sold {{ @ = count(); }}", path.display()), folder.path());
    let ids = Ids::of(tracer.id());
    assert_eq!(listeners(), 1);
    tracer.kill().expect("a signal");
    tracer.wait().expect("its end");
    assert!(within_patience(|| listeners() == 0), "somebody still listens");
    assert!(within_patience(|| ids.left() == Ids::default()), "{:?}", ids.left());
    program.kill().expect("a signal");
    program.wait().expect("its end");
}
