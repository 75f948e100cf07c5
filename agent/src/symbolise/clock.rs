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
}

impl Clock {
    /// Local time now.
    pub fn now(&self) -> Zoned {
        Timestamp::now().to_zoned(self.zone())
    }

    /// Local time so many nanoseconds after boot. Boot is reckoned from the clocks as they are now: a script that prints old
    /// times after the clock was set prints them as if it had been right then.
    pub fn at(&self, boot_nanos: u64) -> Zoned {
        let now = Timestamp::now();
        let since_boot = since_boot();
        let boot = SignedDuration::try_from(since_boot).ok().and_then(|passed| now.checked_sub(passed).ok());
        report::symbols::after_boot(boot.unwrap_or(now), boot_nanos).to_zoned(self.zone())
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
    }
}
