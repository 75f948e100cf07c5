//! Following the stacks of processes that keep no frame pointers: makes the tables that the programs of a session read, see
//! [`lang::unwinding`].
//!
//! Processes that are named at the start have theirs before anything attaches. Of any other a program tells when it meets one, as it does
//! of code that was mapped later; such a stack is cut off where that code is, and the next one is whole.

mod file;
pub mod process;
mod rules;

use std::collections::{HashMap, VecDeque};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::time::{Duration, Instant};

use aya::maps::{MapData, RingBuf};
use lang::unwinding::{Image, MAPPED_BYTES, MOST_FILES, MOST_MAPPED, Mapped, Request};

use crate::sys::map::Map;
use crate::sys::nested;
use file::Layout;
use process::Code;

/// How long a place that was asked about is not asked about again.
const PAUSE: Duration = Duration::from_secs(1);
/// How long tables are made before the session gets its turn. What is asked for is still there then.
const TURN: Duration = Duration::from_millis(100);
/// How long a process's code is taken to be as it was read.
const FRESH: Duration = Duration::from_millis(50);

/// Makes the tables of one session.
pub struct Unwinder {
    maps: Maps,
    /// By what they are known by, in order of their first use.
    files: HashMap<(String, u64), Known>,
    next_file: u32,
    /// When each image's code was read last.
    read: HashMap<Image, Instant>,
    /// In the order they got their tables.
    images: VecDeque<Image>,
    /// What is not asked for again until then.
    asked: VecDeque<(Instant, u64)>,
    warnings: Vec<String>,
    told: Told,
}

/// The maps that the programs read and write.
pub struct Maps {
    /// Pieces of code, by the image.
    pub processes: Map,
    /// Rules, by the file's number.
    pub files: Map,
    /// Where requests arrive.
    pub requests: RingBuf<MapData>,
    /// Requests that are not sent again, by their keys.
    pub asked: Map,
}

/// A file that was met.
#[derive(Clone, Debug)]
enum Known {
    /// With its table's number, and where it has what.
    Table(u32, Layout),
    /// Without a table.
    Nothing,
}

/// What is said once.
#[derive(Debug, Default)]
struct Told {
    late: bool,
    full: bool,
}

impl Unwinder {
    /// For the programs that use these maps.
    pub fn new(maps: Maps) -> Self {
        Self {
            maps,
            files: HashMap::new(),
            next_file: 0,
            read: HashMap::new(),
            images: VecDeque::new(),
            asked: VecDeque::new(),
            warnings: Vec::new(),
            told: Told::default(),
        }
    }

    /// What became known and the user should be told of.
    pub fn take_warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings)
    }

    /// Makes a process's tables as its code is mapped now.
    ///
    /// # Errors
    /// Where the process is gone or not ours to look at, or the kernel has no memory for its tables.
    pub fn learn(&mut self, pid: u32) -> io::Result<()> {
        // It may run something else while it is looked at.
        for _ in 0..2 {
            let Some(image) = process::image(pid)? else { return Ok(()) };
            let code = process::code(pid)?;
            if process::image(pid)? == Some(image) {
                return self.learn_image(pid, image, &code);
            }
        }
        Ok(())
    }

    fn learn_image(&mut self, pid: u32, image: Image, code: &[Code]) -> io::Result<()> {
        let pieces =
            code.iter().take(MOST_MAPPED).map(|code| self.mapped(pid, code)).collect::<io::Result<Vec<_>>>()?;
        let table = nested::array(&Mapped::table(&pieces), MAPPED_BYTES)?;
        let value = table.as_fd().as_raw_fd().to_ne_bytes();
        let mut put = self.maps.processes.update(&image.bytes(), &value);
        // Those that were met first make room.
        while put.as_ref().is_err_and(|error| error.raw_os_error() == Some(libc::E2BIG)) {
            let Some(oldest) = self.images.pop_front() else { break };
            self.read.remove(&oldest);
            self.maps.processes.delete(&oldest.bytes())?;
            put = self.maps.processes.update(&image.bytes(), &value);
        }
        put?;
        if self.read.insert(image, Instant::now()).is_none() {
            self.images.push_back(image);
        }
        Ok(())
    }

    /// A piece of code as programs know it.
    fn mapped(&mut self, pid: u32, code: &Code) -> io::Result<Mapped> {
        let none = Mapped { start: code.start, size: code.end - code.start, shift: 0, file: Mapped::NO_TABLE };
        if !code.is_file() && !code.is_vdso() {
            return Ok(none);
        }
        if !self.files.contains_key(&code.file) {
            let known = self.learn_file(pid, code)?;
            self.files.insert(code.file.clone(), known);
        }
        let Some(Known::Table(number, layout)) = self.files.get(&code.file) else { return Ok(none) };
        Ok(match layout.shift(code) {
            Some(shift) => Mapped { shift, file: u64::from(*number), ..none },
            None => none,
        })
    }

    fn learn_file(&mut self, pid: u32, code: &Code) -> io::Result<Known> {
        if self.next_file == MOST_FILES {
            if !std::mem::replace(&mut self.told.full, true) {
                self.warnings
                    .push(format!("dw_ustack: more than {MOST_FILES} files; stacks end in the code of others"));
            }
            return Ok(Known::Nothing);
        }
        let table = match file::table(pid, code) {
            Ok(Some(table)) => table,
            Ok(None) => {
                let name = &code.name;
                self.warnings
                    .push(format!("dw_ustack: {name} has no unwind information (.eh_frame); stacks end in its code"));
                return Ok(Known::Nothing);
            }
            Err(error) => {
                // It may be gone with the process.
                process::image(pid)?;
                let name = &code.name;
                self.warnings.push(format!("dw_ustack: {name} cannot be read: {error}; stacks end in its code"));
                return Ok(Known::Nothing);
            }
        };
        let number = self.next_file;
        let put = nested::array(&table.words, 8)
            .and_then(|array| self.maps.files.update(&number.to_ne_bytes(), &array.as_raw_fd().to_ne_bytes()));
        if let Err(error) = put {
            self.warnings.push(format!("dw_ustack: no table for {}: {error}; stacks end in its code", code.name));
            return Ok(Known::Nothing);
        }
        self.next_file += 1;
        Ok(Known::Table(number, table.layout))
    }

    /// Makes the tables that programs have asked for, or some of them where that takes long.
    ///
    /// # Errors
    /// Where the maps cannot be written.
    pub fn answer(&mut self) -> io::Result<()> {
        let now = Instant::now();
        while let Some((since, key)) = self.asked.front().copied() {
            if now.duration_since(since) < PAUSE {
                break;
            }
            self.asked.pop_front();
            self.maps.asked.delete(&key.to_ne_bytes())?;
        }
        while now.elapsed() < TURN
            && let Some(request) = self.next_request()
        {
            self.asked.push_back((now, request.key()));
            self.answer_to(&request);
        }
        Ok(())
    }

    fn next_request(&mut self) -> Option<Request> {
        loop {
            let record = self.maps.requests.next()?;
            if let Some(request) = Request::of_record(&record) {
                return Some(request);
            }
        }
    }

    fn answer_to(&mut self, request: &Request) {
        let known = self.read.get(&request.image);
        if known.is_some_and(|read| read.elapsed() < FRESH) {
            return;
        }
        if known.is_none() && !std::mem::replace(&mut self.told.late, true) {
            self.warnings.push(
                "dw_ustack: the first stacks of processes that were not named by -p, -c or --dwarf-pid are cut off"
                    .to_owned(),
            );
        }
        // A process that is gone needs no tables.
        if let Err(error) = self.learn(request.pid) {
            tracing::debug!(pid = request.pid, %error, "no tables for a process");
        }
    }
}

impl AsFd for Unwinder {
    /// Readable when a program has asked for a table.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.maps.requests.as_fd()
    }
}
