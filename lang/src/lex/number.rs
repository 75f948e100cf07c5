//! Integer literals: decimal, octal, hexadecimal, binary, `2e6`, `1_000`, C's suffixes and durations.
//!
//! C's suffixes say nothing about the type and only bound the value; a duration becomes nanoseconds.

use thiserror::Error;

/// Why a literal has no value.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NumberError {
    /// It does not fit.
    #[error("the number is larger than {0}")]
    Overflow(u64),
    /// What follows the digits means nothing.
    #[error("invalid integer suffix '{0}'")]
    Suffix(String),
    /// `0x` alone, `1e`, a digit the base does not have.
    #[error("invalid integer '{0}'")]
    Digits(String),
    /// `1_`
    #[error("trailing underscore in an integer")]
    Underscore,
    /// `10e3`, `0e3`
    #[error("the number before the exponent must be 1 to 9")]
    Coefficient,
}

/// How many bytes of `text`, which starts with a digit, belong to the literal, valid or not.
pub fn length(text: &str) -> usize {
    text.bytes().position(|b| !super::is_name_byte(b)).unwrap_or(text.len())
}

/// The value of a literal.
///
/// # Errors
/// [`NumberError`] where it has none.
pub fn value(text: &str) -> Result<u64, NumberError> {
    let (base, digits_on) = match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, 2),
        [b'0', b'b' | b'B', ..] => (2, 2),
        [b'0', b'0'..=b'9' | b'_', ..] => (8, 1),
        _ => (10, 0),
    };
    let rest = text.get(digits_on..).unwrap_or_default();
    let (digits, rest) = split(rest, |b| b == b'_' || char::from(b).is_digit(base));
    if digits.ends_with('_') {
        return Err(NumberError::Underscore);
    }
    let invalid = || NumberError::Digits(text.to_owned());
    if digits.is_empty() {
        return Err(invalid());
    }
    let number = parse(digits, base)?;
    if base != 10 && rest.bytes().next().is_some_and(|b| b.is_ascii_digit()) {
        return Err(invalid());
    }
    match rest.strip_prefix(['e', 'E']) {
        Some(exponent) if base == 10 => {
            let (digits, rest) = split(exponent, |b| b == b'_' || b.is_ascii_digit());
            if digits.ends_with('_') {
                return Err(NumberError::Underscore);
            }
            if digits.is_empty() {
                return Err(invalid());
            }
            if !(1..=9).contains(&number) {
                return Err(NumberError::Coefficient);
            }
            let overflow = NumberError::Overflow(u64::MAX);
            let exponent = u32::try_from(parse(digits, 10)?).map_err(|_| overflow.clone())?;
            let number = 10u64.checked_pow(exponent).and_then(|p| p.checked_mul(number)).ok_or(overflow)?;
            suffixed(number, rest)
        }
        _ => suffixed(number, rest),
    }
}

fn split(text: &str, of: impl Fn(u8) -> bool) -> (&str, &str) {
    text.split_at(text.bytes().position(|b| !of(b)).unwrap_or(text.len()))
}

fn parse(digits: &str, base: u32) -> Result<u64, NumberError> {
    digits.bytes().filter_map(|b| char::from(b).to_digit(base)).try_fold(0u64, |number, digit| {
        number
            .checked_mul(u64::from(base))
            .and_then(|n| n.checked_add(u64::from(digit)))
            .ok_or(NumberError::Overflow(u64::MAX))
    })
}

fn suffixed(number: u64, suffix: &str) -> Result<u64, NumberError> {
    let (most, factor) = match suffix {
        "" | "ns" => (u64::MAX, 1),
        "us" => (u64::MAX, 1_000),
        "ms" => (u64::MAX, 1_000_000),
        "s" => (u64::MAX, 1_000_000_000),
        "m" => (u64::MAX, 60_000_000_000),
        "h" => (u64::MAX, 3_600_000_000_000),
        "d" => (u64::MAX, 86_400_000_000_000),
        _ => match suffix.to_ascii_lowercase().as_str() {
            "u" => (u64::from(u32::MAX), 1),
            "ul" | "ull" => (u64::MAX, 1),
            "l" | "ll" => (i64::MAX as u64, 1),
            _ => return Err(NumberError::Suffix(suffix.to_owned())),
        },
    };
    if number > most {
        return Err(NumberError::Overflow(most));
    }
    number.checked_mul(factor).ok_or(NumberError::Overflow(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_base_is_read() {
        for (text, number) in [
            ("0", 0),
            ("42", 42),
            ("0777", 0o777),
            ("0xfF", 255),
            ("0b101", 5),
            ("1_000_123", 1_000_123),
            ("18446744073709551615", u64::MAX),
        ] {
            assert_eq!(value(text), Ok(number), "{text}");
        }
    }

    #[test]
    fn an_exponent_counts_zeros() {
        assert_eq!(value("1e6"), Ok(1_000_000));
        assert_eq!(value("9e1_0"), Ok(90_000_000_000));
        assert_eq!(value("10e3"), Err(NumberError::Coefficient));
        assert_eq!(value("1e20"), Err(NumberError::Overflow(u64::MAX)));
    }

    #[test]
    fn a_duration_becomes_nanoseconds() {
        for (text, nanoseconds) in
            [("7ns", 7), ("7us", 7_000), ("7ms", 7_000_000), ("5s", 5_000_000_000), ("1m", 60_000_000_000)]
        {
            assert_eq!(value(text), Ok(nanoseconds), "{text}");
        }
        assert_eq!(value("1h"), Ok(3_600_000_000_000));
        assert_eq!(value("1d"), Ok(86_400_000_000_000));
        assert_eq!(value("999999999d"), Err(NumberError::Overflow(u64::MAX)));
    }

    #[test]
    fn suffixes_of_c_bound_the_value_and_say_nothing_else() {
        for text in ["1u", "1U", "1l", "1ll", "1ul", "1ULL"] {
            assert_eq!(value(text), Ok(1), "{text}");
        }
        assert_eq!(value("4294967296u"), Err(NumberError::Overflow(u64::from(u32::MAX))));
    }

    #[test]
    fn nonsense_is_refused() {
        assert_eq!(value("12abc"), Err(NumberError::Suffix("abc".into())));
        assert_eq!(value("1_"), Err(NumberError::Underscore));
        assert_eq!(value("0x"), Err(NumberError::Digits("0x".into())));
        assert_eq!(value("089"), Err(NumberError::Digits("089".into())));
        assert_eq!(value("1e"), Err(NumberError::Digits("1e".into())));
        assert_eq!(value("18446744073709551616"), Err(NumberError::Overflow(u64::MAX)));
    }
}
