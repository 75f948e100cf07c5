//! Wall-clock time, in the zone of this machine.

use std::cell::OnceCell;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Zoned};
use rustix::time::{ClockId, clock_gettime};

/// The machine's clocks and its time zone, which is read at the first question.
#[derive(Debug, Default)]
pub struct Clock {
    zone: OnceCell<TimeZone>,
    boot: OnceCell<Timestamp>,
}

impl Clock {
    /// Local time now.
    pub fn now(&self) -> Zoned {
        Timestamp::now().to_zoned(self.zone())
    }

    /// Local time so many nanoseconds after boot. Boot is reckoned from the clocks once, so that what a script prints differs by
    /// exactly as much as it measured; a clock that is set later is not followed.
    pub fn at(&self, boot_nanos: u64) -> Zoned {
        let boot = *self.boot.get_or_init(|| {
            let now = Timestamp::now();
            let passed = SignedDuration::try_from(since_boot()).ok();
            passed.and_then(|passed| now.checked_sub(passed).ok()).unwrap_or(now)
        });
        report::symbols::after_boot(boot, boot_nanos).to_zoned(self.zone())
    }

    fn zone(&self) -> TimeZone {
        self.zone.get_or_init(TimeZone::system).clone()
    }
}

/// How long ago the machine booted, its sleeps included: the clock of `nsecs`.
fn since_boot() -> Duration {
    let time = clock_gettime(ClockId::Boottime);
    Duration::new(time.tv_sec.try_into().unwrap_or(0), time.tv_nsec.try_into().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_since_boot_is_now() {
        let clock = Clock::default();
        let now = clock.at(since_boot().as_nanos() as u64);
        let difference = now.timestamp().duration_until(clock.now().timestamp());
        assert!(difference.abs() < SignedDuration::from_secs(5), "{difference}");
        let apart = clock.at(0).timestamp().duration_until(clock.at(123).timestamp());
        assert_eq!(apart, SignedDuration::from_nanos(123));
    }
}
