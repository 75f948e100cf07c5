//! A command that is forked now and runs later: everything can be attached before its first instruction.
//!
//! The child waits for a byte on a pipe, then becomes the command. A failure to become it comes back on a second pipe, which a
//! success closes. The kernel sends the child SIGTERM when its parent dies.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pipe::{PipeFlags, pipe_with};

/// How long a command may take to end after SIGTERM before it is killed.
const PATIENCE: Duration = Duration::from_secs(1);

/// A forked command; ended when it is dropped before it ended by itself.
#[derive(Debug)]
pub struct Child {
    pid: libc::pid_t,
    pidfd: OwnedFd,
    go: Option<OwnedFd>,
    failure: OwnedFd,
}

impl Child {
    /// Forks a child that will run `program` with `arguments`, the command's own name first. Kernel 5.3.
    pub fn fork(program: &CStr, arguments: &[CString]) -> io::Result<Self> {
        let (wait, go) = pipe_with(PipeFlags::CLOEXEC)?;
        let (failure, failed) = pipe_with(PipeFlags::CLOEXEC)?;
        let mut argv: Vec<*const libc::c_char> = arguments.iter().map(|argument| argument.as_ptr()).collect();
        argv.push(ptr::null());
        let parent = std::process::id();
        // SAFETY: the child makes only calls that are allowed between fork and exec, and never returns from here.
        let pid = unsafe { libc::fork() };
        match pid {
            -1 => return Err(io::Error::last_os_error()),
            0 => become_command(parent, [&wait, &go, &failed], program, &argv),
            _ => {}
        }
        // SAFETY: the system call takes numbers only.
        let pidfd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
        if pidfd < 0 {
            let error = io::Error::last_os_error();
            // Closing its pipe ends the child.
            drop((wait, go));
            reap(pid);
            return Err(error);
        }
        // SAFETY: the kernel just made this descriptor for us.
        let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd as i32) };
        Ok(Self { pid, pidfd, go: Some(go), failure })
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.pid.unsigned_abs()
    }

    /// Lets it become the command; an error where it cannot.
    pub fn start(&mut self) -> io::Result<()> {
        let Some(go) = self.go.take() else { return Ok(()) };
        rustix::io::write(&go, &[1])?;
        let mut number = [0; 4];
        match rustix::io::read(&self.failure, &mut number)? {
            4 => Err(io::Error::from_raw_os_error(i32::from_ne_bytes(number))),
            _ => Ok(()),
        }
    }

    /// The same, and has somebody look at it when its libraries are loaded and none of its own code has run, where that can be seen.
    #[cfg(target_arch = "x86_64")]
    pub fn start_watched(&mut self, look: impl FnOnce(u32)) -> io::Result<()> {
        let Ok(mut followed) = super::entry::Followed::begin(self.id()) else { return self.start() };
        self.start()?;
        if let Err(error) = followed.wait_for_entry() {
            tracing::debug!(%error, "the command is not seen to begin");
        }
        look(self.id());
        Ok(())
    }

    /// The same; nobody looks at it yet where instructions are of another set.
    #[cfg(not(target_arch = "x86_64"))]
    pub fn start_watched(&mut self, _: impl FnOnce(u32)) -> io::Result<()> {
        self.start()
    }

    fn has_ended_within(&self, time: Duration) -> bool {
        let timeout = Timespec { tv_sec: 0, tv_nsec: time.subsec_nanos().into() };
        let timeout = Timespec { tv_sec: time.as_secs() as i64, ..timeout };
        matches!(poll(&mut [PollFd::new(&self.pidfd, PollFlags::IN)], Some(&timeout)), Ok(1))
    }
}

impl AsFd for Child {
    /// Readable once it has ended.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // A child that was never started ends when its pipe is closed.
        let waits = self.go.take().is_some();
        if !waits && !self.has_ended_within(Duration::ZERO) {
            signal(self.pid, libc::SIGTERM);
            if !self.has_ended_within(PATIENCE) {
                signal(self.pid, libc::SIGKILL);
            }
        }
        reap(self.pid);
    }
}

/// A descriptor that becomes readable when process `pid` ends. Kernel 5.3.
pub fn pidfd(pid: u32) -> io::Result<OwnedFd> {
    let pid = libc::pid_t::try_from(pid).map_err(|_| io::Error::from_raw_os_error(libc::ESRCH))?;
    // SAFETY: the system call takes numbers only.
    match unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) } {
        // SAFETY: the kernel just made this descriptor for us.
        fd if fd >= 0 => Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) }),
        _ => Err(io::Error::last_os_error()),
    }
}

fn signal(pid: libc::pid_t, number: libc::c_int) {
    // SAFETY: the child is ours and not reaped yet, so that the number is still its own.
    unsafe { libc::kill(pid, number) };
}

fn reap(pid: libc::pid_t) {
    // SAFETY: the child is ours; its status is not asked for.
    unsafe { libc::waitpid(pid, ptr::null_mut(), 0) };
}

/// The child's side: waits for its byte and becomes the command.
fn become_command(parent: u32, [wait, go, failed]: [&OwnedFd; 3], program: &CStr, argv: &[*const libc::c_char]) -> ! {
    // SAFETY: system calls only, on descriptors and memory of this process; `argv` ends with a null.
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGTERM);
        // The parent may have died before the line above.
        if libc::getppid().unsigned_abs() != parent {
            libc::_exit(1);
        }
        // Its own end of the pipe would keep the child waiting for ever.
        libc::close(go.as_raw_fd());
        if !matches!(rustix::io::read(wait, &mut [0; 1]), Ok(1)) {
            libc::_exit(1);
        }
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, ptr::null_mut());
        // The Rust runtime ignores it; a command expects to be ended by it.
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
        libc::execv(program.as_ptr(), argv.as_ptr());
        let number = *libc::__errno_location();
        let _ = rustix::io::write(failed, &number.to_ne_bytes());
        libc::_exit(127)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &CStr) -> Child {
        Child::fork(c"/bin/sh", &[c"sh".into(), c"-c".into(), script.into()]).unwrap()
    }

    #[test]
    fn a_command_does_nothing_before_it_is_started() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("made");
        let script = CString::new(format!(": > {}", file.display())).unwrap();
        let mut child = shell(&script);
        assert!(!child.has_ended_within(Duration::from_millis(50)));
        assert!(!file.exists());
        child.start().unwrap();
        assert!(child.has_ended_within(Duration::from_secs(10)));
        assert!(file.exists());
    }

    #[test]
    fn a_command_is_looked_at_before_it_does_anything() {
        if cfg!(not(target_arch = "x86_64")) {
            println!("SKIP: needs x86-64");
            return;
        }
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("made");
        let script = CString::new(format!(": > {}", file.display())).unwrap();
        let mut child = shell(&script);
        let mut seen = String::new();
        child
            .start_watched(|pid| {
                assert!(!file.exists());
                seen = std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
            })
            .unwrap();
        assert!(child.has_ended_within(Duration::from_secs(10)));
        assert!(file.exists());
        assert!(seen.contains("libc"), "its libraries are loaded: {seen}");
        let error = Child::fork(c"/nowhere/at/all", &[c"all".into()]).unwrap().start_watched(|_| {}).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ENOENT));
    }

    #[test]
    fn a_command_that_cannot_run_says_why() {
        let mut child = Child::fork(c"/nowhere/at/all", &[c"all".into()]).unwrap();
        assert_eq!(child.start().unwrap_err().raw_os_error(), Some(libc::ENOENT));
    }

    #[test]
    fn a_dropped_command_is_gone() {
        let mut child = shell(c"exec sleep 1000");
        child.start().unwrap();
        let pid = child.id();
        drop(child);
        assert_eq!(pidfd(pid).unwrap_err().raw_os_error(), Some(libc::ESRCH));
    }
}
