//! A child process in the background: its output goes to a file, and it is killed when its handle is dropped.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use super::eventually;

/// A running program. Dropping it kills and reaps it, also while a test panics. The kernel kills it too when the thread
/// that started it ends in any other way, so start it on a thread that lives as long as the test.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `command`; its standard output and error are written to `folder/name.log`.
    ///
    /// # Panics
    /// When the program cannot be started.
    pub fn spawn(name: &str, command: &Command, folder: &Path) -> Process {
        let log = folder.join(format!("{name}.log"));
        let file = File::create(&log).unwrap_or_else(|error| panic!("{}: {error}", log.display()));
        let mut bound = Command::new("setpriv");
        bound.args(["--pdeathsig", "KILL", "--"]).arg(command.get_program()).args(command.get_args());
        for (key, value) in command.get_envs() {
            match value {
                Some(value) => bound.env(key, value),
                None => bound.env_remove(key),
            };
        }
        if let Some(directory) = command.get_current_dir() {
            bound.current_dir(directory);
        }
        bound.stdin(Stdio::null()).stdout(file.try_clone().expect("a second handle of the log")).stderr(file);
        let child = bound.spawn().unwrap_or_else(|error| panic!("cannot start {name}: {error}"));
        Process { name: name.to_owned(), child, log }
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Everything it has printed so far.
    pub fn output(&self) -> String {
        std::fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// Kills it at once (SIGKILL) and waits for its end.
    pub fn kill(&mut self) {
        // Both fail only when the process has been reaped before.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Asks it to end with `signal` (`TERM`, `INT`) and waits for that.
    ///
    /// # Panics
    /// When it is still there after `limit`.
    pub fn stop(&mut self, signal: &str, limit: Duration) -> ExitStatus {
        let sent = Command::new("kill").args(["-s", signal, &self.id().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()), "cannot signal {}", self.name);
        eventually(&format!("end of {}", self.name), limit, || {
            self.child.try_wait().map_err(|error| error.to_string())?.ok_or_else(|| "still running".to_owned())
        })
    }

    /// Waits until `ready` holds, and fails early when the process ends before.
    ///
    /// # Panics
    /// When the process ends or `limit` has passed, with the last lines it printed.
    pub fn wait_until(&mut self, limit: Duration, mut ready: impl FnMut() -> bool) {
        let start = std::time::Instant::now();
        while !ready() {
            let ended = self.child.try_wait().ok().flatten();
            if ended.is_some() || start.elapsed() > limit {
                let output = self.output();
                let tail: Vec<&str> = output.lines().rev().take(15).collect();
                let tail = tail.into_iter().rev().collect::<Vec<_>>().join("\n");
                panic!("{} is not ready after {:?} (ended: {ended:?}):\n{tail}", self.name, start.elapsed());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeping(folder: &Path) -> Process {
        let mut command = Command::new("sh");
        command.args(["-c", "echo $GREETING; exec sleep 60"]).env("GREETING", "hello");
        let mut process = Process::spawn("sleeper", &command, folder);
        let log = folder.join("sleeper.log");
        process
            .wait_until(Duration::from_secs(5), || std::fs::read_to_string(&log).is_ok_and(|text| text == "hello\n"));
        process
    }

    fn is_there(id: u32) -> bool {
        Path::new(&format!("/proc/{id}")).exists()
    }

    #[test]
    fn a_dropped_process_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let process = sleeping(folder.path());
        let id = process.id();
        assert!(is_there(id));
        drop(process);
        assert!(!is_there(id));
    }

    #[test]
    fn a_process_of_a_panicking_thread_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_owned();
        let started = std::sync::Arc::new(std::sync::Mutex::new(0));
        let shared = started.clone();
        let panicked = std::thread::spawn(move || {
            let process = sleeping(&path);
            *shared.lock().unwrap() = process.id();
            panic!("as intended");
        });
        assert!(panicked.join().is_err());
        let id = *started.lock().unwrap();
        assert!(id > 0 && !is_there(id));
    }

    #[test]
    fn a_process_ends_on_the_signal_it_gets() {
        let folder = tempfile::tempdir().unwrap();
        let status = sleeping(folder.path()).stop("TERM", Duration::from_secs(5));
        assert!(!status.success());
    }

    #[test]
    #[should_panic(expected = "no such luck")]
    fn a_process_that_ends_too_early_shows_its_output() {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "echo no such luck; exit 1"]);
        Process::spawn("early", &command, folder.path()).wait_until(Duration::from_secs(5), || false);
    }
}
