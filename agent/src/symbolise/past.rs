//! What processes had mapped that are gone by now: kept for those that started, or mapped code, while the session ran, and for the one
//! it is about.
//!
//! Symbols are asked for when values are printed, often long after their process has ended, and what it had mapped where has ended with it.

use std::collections::{HashMap, VecDeque};
use std::fs;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::MetadataExt;

use crate::attach::source::online_cpus;
use crate::sys::process_records::Records;
use crate::unwind::process::{self, Code};

/// How many processes are kept; those that were met first make room.
const MOST_PROCESSES: usize = 16384;
/// Bytes of a `struct perf_event_header`: kind, `misc`, size.
const HEADER: usize = 8;
/// Bytes of a record of a mapping before the file's name.
const BEFORE_NAME: usize = 72;
/// `PERF_RECORD_COMM`, `PERF_RECORD_FORK`, `PERF_RECORD_MMAP2`
const COMM: u32 = 3;
const FORK: u32 = 7;
const MAPPED: u32 = 10;
/// `PERF_RECORD_MISC_COMM_EXEC`: the process runs another program now.
const EXECUTED: u16 = 1 << 13;

/// See the module.
#[derive(Debug, Default)]
pub struct Past {
    records: Vec<Records>,
    processes: HashMap<u32, Process>,
    /// In the order they were met.
    met: VecDeque<u32>,
}

/// A process.
#[derive(Debug, Default)]
struct Process {
    /// When it came to run what it runs, by the monotonic clock.
    since: u64,
    /// Whose code it still runs, where it has not executed anything else.
    parent: Option<u32>,
    code: Vec<Code>,
}

/// Where an address lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// At an offset into a file.
    File(String, u64),
    /// Where it lies in another process, which this one was forked from.
    Process(u32),
}

impl Past {
    /// Records from now on. What the kernel refuses to record stays unknown.
    pub fn start(pid: Option<u32>) -> Self {
        let cpus = online_cpus().unwrap_or_default();
        let records: Result<Vec<Records>, _> = cpus.into_iter().map(Records::of).collect();
        let records = records.unwrap_or_else(|error| {
            tracing::debug!(%error, "processes that end take their symbols with them");
            Vec::new()
        });
        let mut past = Self { records, ..Self::default() };
        if let Some((pid, code)) = pid.and_then(|pid| Some((pid, process::code(pid).ok()?))) {
            past.process(pid).code = code;
        }
        past
    }

    /// What to wait for: a descriptor is readable when much is to be read.
    pub fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.records.iter().map(AsFd::as_fd)
    }

    /// Reads what has been recorded.
    pub fn read(&mut self) {
        let read: Vec<Vec<u8>> = self.records.iter_mut().map(Records::read).collect();
        self.note(read.iter().map(Vec::as_slice));
    }

    /// Where an address lay in a process, as far as that was recorded and the file is still the same.
    pub fn place(&self, pid: u32, address: u64) -> Option<Place> {
        let process = self.processes.get(&pid)?;
        let Some(code) = process.code.iter().rev().find(|code| (code.start..code.end).contains(&address)) else {
            return process.parent.map(Place::Process);
        };
        let is_same = fs::metadata(&code.name).is_ok_and(|file| file.ino() == code.file.1);
        is_same.then(|| Place::File(code.name.clone(), address - code.start + code.offset))
    }

    fn process(&mut self, pid: u32) -> &mut Process {
        if !self.processes.contains_key(&pid) {
            self.met.push_back(pid);
            if self.met.len() > MOST_PROCESSES
                && let Some(first) = self.met.pop_front()
            {
                self.processes.remove(&first);
            }
        }
        self.processes.entry(pid).or_default()
    }

    /// Takes in what each CPU has recorded. What happened on one of them may be read before what led to it on another.
    fn note<'r>(&mut self, cpus: impl Iterator<Item = &'r [u8]>) {
        let mut records: Vec<Record<'_>> = cpus.flat_map(Record::all).collect();
        records.sort_by_key(|record| record.time);
        for record in &records {
            if let Some(pid) = record.word(0) {
                self.note_record(pid, record);
            }
        }
    }

    fn note_record(&mut self, pid: u32, record: &Record<'_>) {
        let since = self.processes.get(&pid).map_or(0, |process| process.since);
        let parent = match record.kind {
            MAPPED => return record.mapped().into_iter().for_each(|code| self.process(pid).code.push(code)),
            FORK => record.word(4).filter(|parent| *parent != pid),
            COMM if record.misc & EXECUTED != 0 => None,
            _ => return,
        };
        let is_thread = record.kind == FORK && parent.is_none();
        if !is_thread && record.time >= since {
            *self.process(pid) = Process { since: record.time, parent, code: Vec::new() };
        }
    }
}

/// A record as the kernel writes it.
struct Record<'r> {
    kind: u32,
    misc: u16,
    time: u64,
    body: &'r [u8],
}

impl<'r> Record<'r> {
    /// The records of one CPU, up to one that is cut off.
    fn all(mut bytes: &'r [u8]) -> impl Iterator<Item = Self> {
        std::iter::from_fn(move || {
            let record = Self::first(bytes)?;
            bytes = bytes.get(HEADER + record.body.len()..)?;
            Some(record)
        })
    }

    fn first(bytes: &'r [u8]) -> Option<Self> {
        let kind = u32::from_ne_bytes(*bytes.first_chunk()?);
        let half = |at: usize| bytes.get(at..)?.first_chunk().map(|half| u16::from_ne_bytes(*half));
        let (misc, size) = (half(4)?, half(6)?);
        let body = bytes.get(HEADER..usize::from(size))?;
        Some(Self { kind, misc, body, time: u64::from_ne_bytes(*body.last_chunk()?) })
    }

    fn word(&self, at: usize) -> Option<u32> {
        self.body.get(at..)?.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes))
    }

    /// pid, tid, address, length, offset, device (major and minor number), inode, its generation, protection, flags, name.
    fn mapped(&self) -> Option<Code> {
        let long = |at: usize| self.body.get(at..)?.first_chunk().map(|bytes| u64::from_ne_bytes(*bytes));
        let (start, length, offset) = (long(8)?, long(16)?, long(24)?);
        let device = format!("{:02x}:{:02x}", self.word(32)?, self.word(36)?);
        let name = self.body.get(BEFORE_NAME - HEADER..)?.split(|byte| *byte == 0).next()?;
        let name = String::from_utf8_lossy(name).into_owned();
        Some(Code { start, end: start.checked_add(length)?, offset, file: (device, long(40)?), name })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: u32, misc: u16, time: u64, body: &[u8]) -> Vec<u8> {
        let size = (HEADER + body.len() + 8) as u16;
        [&kind.to_ne_bytes(), misc.to_ne_bytes().as_slice(), &size.to_ne_bytes(), body, &time.to_ne_bytes()].concat()
    }

    fn mapped(time: u64, pid: u32, start: u64, inode: u64, name: &str) -> Vec<u8> {
        let numbers = [pid.to_ne_bytes(), pid.to_ne_bytes()].concat();
        let place = [start, 0x1000, 0x2000, 0, inode, 0, 0].map(u64::to_ne_bytes).concat();
        let mut name = name.as_bytes().to_vec();
        name.resize((name.len() + 1).next_multiple_of(8), 0);
        record(MAPPED, 0, time, &[numbers, place, name].concat())
    }

    fn forked(time: u64, pid: u32, parent: u32) -> Vec<u8> {
        record(FORK, 0, time, &[pid, parent, pid, parent, 0, 0].map(u32::to_ne_bytes).concat())
    }

    fn executed(time: u64, pid: u32) -> Vec<u8> {
        record(COMM, EXECUTED, time, &u64::from(pid).to_ne_bytes())
    }

    /// What is known after some CPUs' records were read.
    fn past(cpus: &[Vec<Vec<u8>>]) -> Past {
        let mut past = Past::default();
        past.note(cpus.iter().map(|records| records.concat()).collect::<Vec<_>>().iter().map(Vec::as_slice));
        past
    }

    /// This program's path and inode.
    fn own() -> (String, u64) {
        let own = std::env::current_exe().expect("this program");
        (own.display().to_string(), fs::metadata(&own).expect("a file").ino())
    }

    #[test]
    fn an_address_lies_in_a_file_as_long_as_that_is_the_same() {
        let (name, inode) = own();
        let past = past(&[vec![mapped(1, 7, 0x5000, inode, &name), mapped(2, 8, 0x5000, inode + 1, &name)]]);
        assert_eq!(past.place(7, 0x5010), Some(Place::File(name, 0x2010)));
        assert_eq!(past.place(7, 0x6000), None, "behind it");
        assert_eq!(past.place(8, 0x5010), None, "another file has its name now");
        assert_eq!(past.place(9, 0x5010), None, "a process never seen");
    }

    #[test]
    fn a_child_runs_what_its_parent_runs_until_it_executes_something_else() {
        let past_of = |records| past(&[records]).place(7, 0x5010);
        assert_eq!(past_of(vec![forked(1, 7, 6)]), Some(Place::Process(6)));
        assert_eq!(past_of(vec![forked(1, 7, 7)]), None, "a thread is no process");
        assert_eq!(past_of(vec![forked(1, 7, 6), executed(2, 7)]), None);
    }

    #[test]
    fn what_happened_on_different_cpus_is_put_in_order() {
        let (name, inode) = own();
        let place = Some(Place::File(name.clone(), 0x2010));
        let code = vec![executed(2, 7), mapped(3, 7, 0x5000, inode, &name)];
        let mut past = past(&[code, vec![forked(1, 7, 6)]]);
        assert_eq!(past.place(7, 0x5010), place);
        // One that is read late does not undo what came after it.
        past.note([forked(1, 7, 6).as_slice()].into_iter());
        assert_eq!(past.place(7, 0x5010), place);
    }

    #[test]
    fn a_record_that_is_cut_off_ends_them() {
        let records = [forked(1, 7, 6), executed(2, 7)].concat();
        let mut past = Past::default();
        past.note([&records[..records.len() - 1], &[1, 0, 0]].into_iter());
        assert_eq!(past.place(7, 0x5010), Some(Place::Process(6)));
    }
}
