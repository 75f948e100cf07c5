//! The formats of `time()` and `strftime()`.
//!
//! Takes the time from the caller, who has a clock and a time zone. Formats are C's; [`strftime`] adds bpftrace's
//! fractions: `%k` nanoseconds, `%f` microseconds, `%l` milliseconds, zero-filled. What is no conversion stays as it is.

use jiff::Zoned;
use jiff::fmt::strtime::{BrokenDownTime, Config};

/// What `time()` prints without an argument.
pub const DEFAULT_TIME: &str = "%H:%M:%S\n";

/// What `time()` prints.
pub fn time(format: &str, time: &Zoned) -> String {
    // C has no fractions, the formatter below does.
    render(format, &rewrite(format, foreign), time)
}

/// What `strftime()` prints.
pub fn strftime(format: &str, time: &Zoned) -> String {
    let fractions = |c| match c {
        'k' => Some("9f"),
        'f' => Some("6f"),
        'l' => Some("3f"),
        other => foreign(other),
    };
    render(format, &rewrite(format, fractions), time)
}

/// What the formatter below knows and C does not stays as it is.
fn foreign(conversion: char) -> Option<&'static str> {
    match conversion {
        'f' => Some("%f"),
        'N' => Some("%N"),
        'Q' => Some("%Q"),
        'q' => Some("%q"),
        _ => None,
    }
}

fn render(written: &str, format: &str, time: &Zoned) -> String {
    let config = Config::new().lenient(true);
    let mut text = String::new();
    match BrokenDownTime::from(time).format_with_config(&config, format, &mut text) {
        Ok(()) => text,
        Err(_) => written.to_owned(),
    }
}

/// Replaces what follows a `%` where `replacement` knows one.
fn rewrite(format: &str, replacement: impl Fn(char) -> Option<&'static str>) -> String {
    let mut rewritten = String::with_capacity(format.len());
    let mut characters = format.chars();
    while let Some(c) = characters.next() {
        rewritten.push(c);
        if c != '%' {
            continue;
        }
        let Some(conversion) = characters.next() else { break };
        match replacement(conversion) {
            Some(other) => rewritten.push_str(other),
            None => rewritten.push(conversion),
        }
    }
    rewritten
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::symbols::{NoSymbols, Symbols};

    fn at(nanos: u64) -> Zoned {
        NoSymbols.wall_clock(nanos)
    }

    #[test]
    fn the_default_is_hours_minutes_and_seconds() {
        assert_eq!(time(DEFAULT_TIME, &at(3_723_000_000_000)), "01:02:03\n");
    }

    #[test]
    fn fractions_are_zero_filled() {
        assert_eq!(strftime("%S.%f %%f %k %l", &at(1_000_045_678)), "01.000045 %f 000045678 000");
    }

    #[test]
    fn what_c_does_not_know_stays() {
        assert_eq!(time("%Q %N %S %q", &at(1_000_000_000)), "%Q %N 01 %q");
        assert_eq!(strftime("%Q %S", &at(1_000_000_000)), "%Q 01");
    }

    #[test]
    fn time_has_no_fractions() {
        assert_eq!(time("%S.%f", &at(1_000_045_678)), "01.%f");
    }

    #[test]
    fn what_is_no_conversion_stays_as_written() {
        assert_eq!(strftime("%Y %! 100%", &at(0)), "1970 %! 100%");
    }
}
