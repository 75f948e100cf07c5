//! Stopping a child where its program begins: its libraries are mapped then, and none of its own code has run (x86-64).
//!
//! The child is followed through its exec to a breakpoint at the address that the kernel says the program begins at, which the dynamic
//! linker jumps to when it is done. Signals on the way are handed on.

use std::io;
use std::os::unix::fs::FileExt;
use std::ptr;

/// A child that is followed; let go when dropped.
#[derive(Debug)]
pub struct Followed {
    pid: libc::pid_t,
    /// Whether it is stopped, so that it can be let go.
    stopped: bool,
}

/// What a waited-for child did.
enum Did {
    /// It stopped, for this signal or event.
    Stop {
        signal: i32,
        event: i32,
    },
    End,
}

/// `int3`, as the low byte of a word.
const BREAKPOINT: u64 = 0xcc;
const LOW_BYTE: u64 = 0xff;
/// `AT_ENTRY` and the words of an entry of what the kernel tells a program.
const AT_ENTRY: u64 = 9;

impl Followed {
    /// Follows a child that has not become its command yet. Kernel 3.4.
    ///
    /// # Errors
    /// Where it may not be traced, or is by somebody else.
    pub fn begin(pid: u32) -> io::Result<Self> {
        let pid = libc::pid_t::try_from(pid).map_err(io::Error::other)?;
        request(libc::PTRACE_SEIZE, pid, 0, libc::PTRACE_O_TRACEEXEC as u64)?;
        Ok(Self { pid, stopped: false })
    }

    /// Waits until the program is about to begin. Where that cannot be seen it is stopped earlier, or has ended.
    ///
    /// # Errors
    /// Where it cannot be controlled.
    pub fn wait_for_entry(&mut self) -> io::Result<()> {
        loop {
            match self.wait()? {
                Did::End => return Ok(()),
                Did::Stop { event: libc::PTRACE_EVENT_EXEC, .. } => break,
                Did::Stop { signal, event } => self.go_on(if event == 0 { signal } else { 0 })?,
            }
        }
        let Some(entry) = self.entry()? else { return Ok(()) };
        let word = self.word(entry)?;
        // Somebody else has a breakpoint there, which they would take for theirs.
        if word & LOW_BYTE == BREAKPOINT {
            return Ok(());
        }
        self.set_word(entry, word & !LOW_BYTE | BREAKPOINT)?;
        self.go_on(0)?;
        loop {
            let Did::Stop { signal, event } = self.wait()? else { return Ok(()) };
            if signal == libc::SIGTRAP && event == 0 && self.step_back_to(entry)? {
                return self.set_word(entry, word);
            }
            self.go_on(if event == 0 { signal } else { 0 })?;
        }
    }

    /// Waits for whatever it does next.
    fn wait(&mut self) -> io::Result<Did> {
        let mut status = 0;
        loop {
            // SAFETY: the kernel writes a number to `status`.
            let result = unsafe { libc::waitpid(self.pid, &raw mut status, libc::__WALL) };
            if result == self.pid {
                break;
            }
            let error = io::Error::last_os_error();
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(error);
            }
        }
        self.stopped = libc::WIFSTOPPED(status);
        Ok(match self.stopped {
            true => Did::Stop { signal: libc::WSTOPSIG(status), event: status >> 16 },
            false => Did::End,
        })
    }

    fn go_on(&mut self, signal: i32) -> io::Result<()> {
        request(libc::PTRACE_CONT, self.pid, 0, u64::from(signal.unsigned_abs()))?;
        self.stopped = false;
        Ok(())
    }

    /// Where its program begins; `None` where the kernel does not say, or it is one of 32 bits.
    fn entry(&self) -> io::Result<Option<u64>> {
        let told = std::fs::read(format!("/proc/{}/auxv", self.pid))?;
        let (pairs, _) = told.as_chunks::<16>();
        let pair = |pair: &[u8; 16]| {
            let both = u128::from_le_bytes(*pair);
            (both as u64, (both >> 64) as u64)
        };
        Ok(pairs.iter().map(pair).find(|(kind, _)| *kind == AT_ENTRY).map(|(_, entry)| entry))
    }

    fn word(&self, address: u64) -> io::Result<u64> {
        let mut word = [0; 8];
        std::fs::File::open(format!("/proc/{}/mem", self.pid))?.read_exact_at(&mut word, address)?;
        Ok(u64::from_le_bytes(word))
    }

    fn set_word(&self, address: u64, word: u64) -> io::Result<()> {
        request(libc::PTRACE_POKETEXT, self.pid, address, word)
    }

    /// Goes back to an instruction if a breakpoint there was met; whether it was.
    fn step_back_to(&self, entry: u64) -> io::Result<bool> {
        // SAFETY: the registers are integers; all zero bytes are a value.
        let mut registers: libc::user_regs_struct = unsafe { std::mem::zeroed() };
        request(libc::PTRACE_GETREGS, self.pid, 0, &raw mut registers as u64)?;
        if registers.rip != entry.wrapping_add(1) {
            return Ok(false);
        }
        registers.rip = entry;
        request(libc::PTRACE_SETREGS, self.pid, 0, &raw const registers as u64)?;
        Ok(true)
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        if self.stopped {
            // Only a child that was killed meanwhile cannot be let go.
            let _ = request(libc::PTRACE_DETACH, self.pid, 0, 0);
        }
    }
}

/// One request of ptrace(2). `data` is a number, or the address of registers that outlive the call.
fn request(what: libc::c_uint, pid: libc::pid_t, address: u64, data: u64) -> io::Result<()> {
    let (address, data) = (ptr::with_exposed_provenance_mut::<libc::c_void>(address as usize), data as usize);
    // SAFETY: the requests made here change the child, which is ours, and memory of this process only where `data` says.
    let result = unsafe { libc::ptrace(what, pid, address, ptr::with_exposed_provenance_mut::<libc::c_void>(data)) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
