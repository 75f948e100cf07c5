//! What the long-running commands share: the runtime, the log and the wish to end.

use std::io::IsTerminal;

use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// Two threads serve an agent or an operator of the size that is promised.
const THREADS: usize = 2;

/// A runtime for a service.
///
/// # Errors
/// Threads that cannot be started.
pub fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(THREADS).enable_all().build()
}

/// Logs to standard error what `RUST_LOG` asks for, `default` where it says nothing.
pub fn log(default: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    subscriber.with_ansi(std::io::stderr().is_terminal()).init();
}

/// Ready when the process is asked to end: SIGINT or SIGTERM.
///
/// # Errors
/// Signals that cannot be received.
pub fn shutdown() -> std::io::Result<impl Future<Output = ()>> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
