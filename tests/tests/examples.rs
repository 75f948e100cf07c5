//! Every example runs in this machine's kernel against a known workload and prints what its `.out` file shows.
//!
//! A line of the file must be among the printed ones, numbers and bars aside; a line `...` stands for any lines. What needs a kernel
//! with kprobes is run by the suite of other kernels.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use agent::run::{RunOptions, run};
use bpfleet_tests::cluster::programs::skip;

/// Long enough for every rhythm in the workload and the slowest sampling.
const LONG_ENOUGH: Duration = Duration::from_secs(2);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples")
}

fn names() -> Vec<String> {
    let files = fs::read_dir(folder()).expect("the examples can be listed");
    let paths = files.map(|file| file.expect("an entry can be read").path());
    let scripts = paths.filter(|path| path.extension().is_some_and(|extension| extension == "bt"));
    let mut names: Vec<String> =
        scripts.map(|path| path.file_stem().unwrap_or_default().to_string_lossy().into()).collect();
    names.sort();
    assert!(!names.is_empty());
    names
}

fn read(name: &str, extension: &str) -> String {
    let path = folder().join(name).with_extension(extension);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A thread called `workload` that opens, reads, writes, reaches the disk and sleeps, until this is dropped.
struct Workload {
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Workload {
    fn start() -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = std::thread::Builder::new().name("workload".to_owned()).spawn(move || work(&stopped));
        Self { stop, thread: Some(thread.expect("a thread starts")) }
    }
}

impl Drop for Workload {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(Err(panic)) = self.thread.take().map(std::thread::JoinHandle::join) {
            std::panic::resume_unwind(panic);
        }
    }
}

fn work(stop: &AtomicBool) {
    let mut zero = File::open("/dev/zero").expect("there is a /dev/zero");
    let mut disk = tempfile::tempfile().expect("there is room for a file");
    let mut page = [0; 4096];
    while !stop.load(Ordering::Relaxed) {
        zero.read_exact(&mut page).expect("zeros never end");
        let mut null = File::options().write(true).open("/dev/null").expect("there is a /dev/null");
        null.write_all(&page[..100]).expect("nothing is ever full");
        disk.write_all(&page).and_then(|()| disk.sync_data()).expect("the disk takes it");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// The line with each number as `N` and without a bar: what is the same on every run.
fn shape(line: &str) -> String {
    let line = line.split('|').next().unwrap_or_default();
    let mut shape = String::new();
    for c in line.split_whitespace().collect::<Vec<_>>().join(" ").chars() {
        match c {
            '0'..='9' if shape.ends_with('N') => {}
            '0'..='9' => shape.push('N'),
            _ => shape.push(c),
        }
    }
    shape
}

fn print_of(name: &str) -> String {
    let printed = tempfile::NamedTempFile::new().expect("there is room for a file");
    let options = RunOptions {
        name: format!("{name}.bt"),
        source: read(name, "bt"),
        output: Some(printed.path().to_owned()),
        duration: Some(LONG_ENOUGH),
        quiet: true,
        ..RunOptions::default()
    };
    let workload = Workload::start();
    let ended = run(&options);
    drop(workload);
    assert_eq!(ended.unwrap_or_else(|error| panic!("{name}: {error}")), 0);
    fs::read_to_string(printed.path()).expect("what was printed can be read")
}

#[test]
fn every_example_prints_what_its_output_file_shows() {
    if let Some(missing) = agent::preflight::missing().first() {
        skip(&missing.to_string());
        return;
    }
    let target = lang::target::Target::generic();
    for name in names() {
        let script = lang::parse(&read(&name, "bt")).expect("an example is right");
        let kprobes = !lang::needs(&script).functions.is_empty();
        if kprobes && !Path::new("/sys/bus/event_source/devices/kprobe").exists() {
            println!("SKIP: {name} needs a kernel with kprobes; the vm tier runs it");
            assert!(lang::compile(&read(&name, "bt"), &script, &target, &lang::Options::default()).is_ok());
            continue;
        }
        let printed = print_of(&name);
        let shapes: Vec<String> = printed.lines().map(shape).collect();
        for line in read(&name, "out").lines().filter(|line| line.trim() != "...") {
            assert!(shapes.contains(&shape(line)), "{name}: no line like {line:?} in\n{printed}");
        }
    }
}

#[test]
fn every_trace_job_carries_the_script_beside_it() {
    for name in names() {
        let manifest: serde_json::Value = serde_saphyr::from_str(&read(&name, "yaml")).expect("an example is YAML");
        assert_eq!(manifest["metadata"]["name"], name.as_str());
        assert_eq!(manifest["spec"]["script"].as_str(), Some(read(&name, "bt").as_str()), "{name}");
    }
}
