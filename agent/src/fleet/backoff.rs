//! How long to wait before the next try: longer each time, and not the same on every node.

use std::time::Duration;

/// The first wait, before jitter.
const FIRST: Duration = Duration::from_millis(100);
/// The longest wait, before jitter.
const LONGEST: Duration = Duration::from_secs(10);

/// Waits that double from 100 ms to 10 s, each shortened at random by up to a half.
#[derive(Clone, Debug)]
pub struct Backoff {
    next: Duration,
    seed: u64,
}

impl Backoff {
    /// Different seeds spread differently.
    pub fn new(seed: u64) -> Self {
        Self { next: FIRST, seed }
    }

    /// The wait before the next try.
    pub fn wait(&mut self) -> Duration {
        let full = self.next;
        self.next = (full * 2).min(LONGEST);
        // splitmix64: enough to keep nodes from dialling in step.
        self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.seed;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let part = ((mixed ^ (mixed >> 31)) >> 32) as u32;
        full / 2 + (full / 2).mul_f64(f64::from(part) / f64::from(u32::MAX))
    }

    /// A try went well.
    pub fn reset(&mut self) {
        self.next = FIRST;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_bound_and_begin_anew_after_success() {
        let mut backoff = Backoff::new(1);
        let waits: Vec<Duration> = (0..12).map(|_| backoff.wait()).collect();
        assert!(waits[0] >= FIRST / 2 && waits[0] <= FIRST, "{waits:?}");
        assert!(waits[11] >= LONGEST / 2 && waits[11] <= LONGEST, "{waits:?}");
        backoff.reset();
        assert!(backoff.wait() <= FIRST);
    }

    #[test]
    fn two_nodes_do_not_wait_alike() {
        let waits = |seed| {
            let mut backoff = Backoff::new(seed);
            (0..5).map(|_| backoff.wait()).collect::<Vec<_>>()
        };
        assert_ne!(waits(1), waits(2));
    }
}
