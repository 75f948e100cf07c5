//! Waiting for what another process does.

use std::fmt::Debug;
use std::time::{Duration, Instant};

/// Calls `probe` every 100 ms until it gives `Ok` and returns what is inside.
///
/// # Panics
/// When `limit` has passed, with the last `Err`.
#[track_caller]
pub fn eventually<T, E: Debug>(what: &str, limit: Duration, mut probe: impl FnMut() -> Result<T, E>) -> T {
    let start = Instant::now();
    loop {
        match probe() {
            Ok(found) => return found,
            Err(reason) if start.elapsed() > limit => panic!("{what}: not within {limit:?}: {reason:?}"),
            Err(_) => std::thread::sleep(Duration::from_millis(100)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_that_comes_true_ends_the_wait() {
        let mut calls = 0;
        let found = eventually("third call", Duration::from_secs(5), || {
            calls += 1;
            if calls == 3 { Ok(calls) } else { Err(calls) }
        });
        assert_eq!(found, 3);
    }

    #[test]
    #[should_panic(expected = "never: not within 10ms: \"still closed\"")]
    fn a_wait_that_is_too_long_says_why() {
        eventually("never", Duration::from_millis(10), || Err::<(), _>("still closed"));
    }
}
