//! String literals: how far they reach, what their escapes stand for, and back.

use std::ops::Range;

use report::raw;
use thiserror::Error;

/// Why a literal has no value.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StringError {
    /// The line ends first.
    #[error("unterminated string")]
    Unterminated,
    /// A backslash before something without a meaning.
    #[error("invalid escape '\\{0}'")]
    Escape(char),
    /// `\x` without a digit.
    #[error("a hexadecimal escape needs one or two digits")]
    Hex,
    /// `\777`
    #[error("the octal escape is larger than a byte")]
    Octal,
}

/// How many bytes of `text`, which starts with a quote, belong to the literal: up to its closing quote or the end of the line.
pub fn length(text: &str) -> usize {
    let mut bytes = text.bytes().enumerate().skip(1);
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' => return at + 1,
            b'\n' => return at,
            b'\\' if !text.get(at + 1..).is_some_and(|rest| rest.starts_with('\n')) => {
                bytes.next();
            }
            _ => {}
        }
    }
    text.len()
}

/// What a literal, given with its quotes, stands for: text, with bytes that are none as [`raw`] keeps them.
///
/// # Errors
/// What is wrong, and at which bytes of the literal.
pub fn value(literal: &str) -> Result<String, (StringError, Range<usize>)> {
    let inner = literal.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let inner = inner.ok_or((StringError::Unterminated, 0..literal.len()))?;
    let mut bytes = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        let (plain, escape) = rest.split_at(at);
        bytes.extend_from_slice(plain.as_bytes());
        let start = literal.len() - 1 - escape.len();
        let length = unescape(escape, &mut bytes).map_err(|(error, length)| (error, start..start + length))?;
        rest = escape.get(length..).unwrap_or_default();
    }
    bytes.extend_from_slice(rest.as_bytes());
    Ok(raw::text(&bytes))
}

/// Reads the escape `text` starts with; says how many bytes it has.
fn unescape(text: &str, into: &mut Vec<u8>) -> Result<usize, (StringError, usize)> {
    let Some(letter) = text.chars().nth(1) else { return Err((StringError::Unterminated, 1)) };
    let simple = match letter {
        'n' => b'\n',
        't' => b'\t',
        'r' => b'\r',
        '"' => b'"',
        '\\' => b'\\',
        '0'..='7' => return digits(text, 1, 8, 3, into),
        'x' | 'X' => return digits(text, 2, 16, 2, into),
        other => return Err((StringError::Escape(other), 1 + other.len_utf8())),
    };
    into.push(simple);
    Ok(2)
}

fn digits(text: &str, on: usize, base: u32, most: usize, into: &mut Vec<u8>) -> Result<usize, (StringError, usize)> {
    let digits = text.get(on..).unwrap_or_default();
    let (count, value) = digits
        .chars()
        .map_while(|c| c.to_digit(base))
        .take(most)
        .fold((0, 0), |(count, value), digit| (count + 1, value * base + digit));
    if count == 0 {
        return Err((StringError::Hex, on));
    }
    into.push(u8::try_from(value).map_err(|_| (StringError::Octal, on + count))?);
    Ok(on + count)
}

/// Writes `text` as a literal with its quotes.
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c.is_ascii_control() => out.push_str(&format!("\\{:03o}", c as u32)),
            c => match raw::byte(c) {
                Some(byte) => out.push_str(&format!("\\{byte:03o}")),
                None => out.push(c),
            },
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_stand_for_bytes() {
        assert_eq!(value(r#""a\n\t\r\"\\b""#).as_deref(), Ok("a\n\t\r\"\\b"));
        assert_eq!(value(r#""\x41\101\0""#).as_deref(), Ok("AA\0"));
        assert_eq!(value(r#""\033[31m""#).as_deref(), Ok("\u{1b}[31m"));
        assert_eq!(value(r#""\xc3\xa9""#).as_deref(), Ok("é"));
        let raw = value(r#""a\xff\x00""#).expect("a string");
        assert_eq!((&*raw::bytes(&raw), quote(&raw).as_str()), (&b"a\xff\0"[..], r#""a\377\000""#));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        assert_eq!(value(r#""ab\q""#), Err((StringError::Escape('q'), 3..5)));
        assert_eq!(value(r#""\xg""#), Err((StringError::Hex, 1..3)));
        assert_eq!(value(r#""\777""#), Err((StringError::Octal, 1..5)));
        assert_eq!(value(r#""abc"#), Err((StringError::Unterminated, 0..4)));
    }

    #[test]
    fn a_literal_ends_at_its_quote_or_its_line() {
        assert_eq!(length(r#""a\"b" c"#), 6);
        assert_eq!(length("\"ab\ncd\""), 3);
        assert_eq!(length("\"ab\\\ncd\""), 4);
        assert_eq!(length("\"ab\\"), 4);
    }

    #[test]
    fn a_quoted_text_reads_back() {
        for text in ["", "plain", "a\"b\\c\n\t\r", "\u{1b}[0m1", "é漢", "\u{7f}\0"] {
            assert_eq!(value(&quote(text)).as_deref(), Ok(text));
        }
    }
}
