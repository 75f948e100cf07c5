//! The work that the demo watches: threads of this process whose system calls are known by construction.
//!
//! Each thread has a name (what `comm` shows) and a rhythm: so many reads of so many bytes from `/dev/zero`, then a short sleep.

use std::fs::File;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// The threads' names and the bytes they read at once.
const READERS: [(&str, usize); 3] = [("small-reader", 100), ("page-reader", 4096), ("bulk-reader", 128 * 1024)];
/// Reads of one burst.
const BURST: usize = 100;
/// Between two bursts.
const PAUSE: Duration = Duration::from_millis(20);

/// The running threads; they end when this is dropped.
pub struct Workload {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Workload {
    /// Starts one thread for each reader.
    ///
    /// # Errors
    /// A thread that cannot be started.
    pub fn start() -> std::io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let mut workload = Self { stop: stop.clone(), threads: Vec::new() };
        for (name, bytes) in READERS {
            let stop = stop.clone();
            let thread =
                std::thread::Builder::new().name(name.to_owned()).spawn(move || read_in_bursts(bytes, &stop))?;
            workload.threads.push(thread);
        }
        Ok(workload)
    }
}

impl Drop for Workload {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // A reader that panicked has nothing left to end.
            let _ = thread.join();
        }
    }
}

fn read_in_bursts(bytes: usize, stop: &AtomicBool) {
    let mut buffer = vec![0; bytes];
    let Ok(mut zero) = File::open("/dev/zero") else { return };
    while !stop.load(Ordering::Relaxed) {
        for _ in 0..BURST {
            if zero.read(&mut buffer).is_err() {
                return;
            }
        }
        std::thread::sleep(PAUSE);
    }
}
