//! When a job's document is to be stored, and what became of it: one attempt at a time, repeated when it fails.

use std::time::Duration;

use jiff::Timestamp;

use super::world::elapsed;

/// The storing of one job's document.
#[derive(Clone, Debug, Default)]
pub struct Storing {
    wanted: bool,
    under_way: Option<u64>,
    attempts: u64,
    last: Option<Timestamp>,
}

impl Storing {
    /// There is something new to store.
    pub fn want(&mut self) {
        self.wanted = true;
    }

    /// There is something new to store, without waiting.
    pub fn want_now(&mut self) {
        self.wanted = true;
        self.last = None;
    }

    /// The number of the attempt that is to be made now, if one is.
    pub fn next(&mut self, interval: Duration, now: Timestamp) -> Option<u64> {
        let rested = self.last.is_none_or(|last| elapsed(last, now) >= interval);
        if !self.wanted || self.under_way.is_some() || !rested {
            return None;
        }
        self.wanted = false;
        self.attempts += 1;
        self.last = Some(now);
        self.under_way = Some(self.attempts);
        self.under_way
    }

    /// An attempt ended. Whether it was the last one made.
    pub fn ended(&mut self, attempt: u64, stored: bool) -> bool {
        if self.under_way != Some(attempt) {
            return false;
        }
        self.under_way = None;
        self.wanted |= !stored;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_secs(5);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    #[test]
    fn one_attempt_is_made_at_a_time_and_not_too_often() {
        let mut storing = Storing::default();
        assert_eq!(storing.next(INTERVAL, at(0)), None);
        storing.want();
        assert_eq!(storing.next(INTERVAL, at(0)), Some(1));
        storing.want();
        assert_eq!(storing.next(INTERVAL, at(9)), None);
        assert!(storing.ended(1, true));
        assert_eq!(storing.next(INTERVAL, at(4)), None);
        assert_eq!(storing.next(INTERVAL, at(5)), Some(2));
    }

    #[test]
    fn a_failed_attempt_is_repeated_and_a_hurry_does_not_wait() {
        let mut storing = Storing::default();
        storing.want();
        assert_eq!(storing.next(INTERVAL, at(0)), Some(1));
        assert!(storing.ended(1, false));
        assert!(!storing.ended(1, true));
        assert_eq!(storing.next(INTERVAL, at(1)), None);
        storing.want_now();
        assert_eq!(storing.next(INTERVAL, at(1)), Some(2));
    }
}
