//! The format strings of `printf` and its kin.
//!
//! [`Format::parse`] splits a format into literal text and conversions, with spans for the checker's messages;
//! [`Format::render`] fills it in. Escapes are already resolved by the lexer.
//!
//! Conversions: `%d %i %u %o %x %X %c %p %s`, and for buffers `%r` (printable bytes as they are, others `\xNN`), `%rx`
//! (every byte `\xNN`), `%rh` (bare hexadecimal with spaces). Flags, width, precision and length are C's: a number without
//! a length is cut to 32 bits. A `%` that begins no conversion stays as it is, as in bpftrace.

use std::fmt;
use std::ops::Range;

use crate::value::{Text, Value};

mod render;

/// The largest width or precision.
pub const MAX_WIDTH: u16 = 4096;

/// A parsed format string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Format {
    /// Literal text and conversions in turn.
    pub pieces: Vec<Piece>,
}

/// A part of a format string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Text to print as it is; `%%` is already one `%`.
    Literal(String),
    /// A conversion, which takes one argument.
    Spec(Spec),
}

/// One conversion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// Where it stands in the format string, in bytes, from its `%` on.
    pub span: Range<usize>,
    /// Its flags.
    pub flags: Flags,
    /// The least number of bytes to print; 0 without one.
    pub width: u16,
    /// The least number of digits of a number, the most bytes of a text.
    pub precision: Option<u16>,
    /// How many bits of a number count.
    pub length: Length,
    /// How to print the argument.
    pub conversion: Conversion,
}

/// The flags of a conversion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// `-`: pad on the right.
    pub left: bool,
    /// `+`: a sign before positive numbers too.
    pub plus: bool,
    /// A space before positive numbers.
    pub space: bool,
    /// `#`: `0x` or `0` before the digits.
    pub alternate: bool,
    /// `0`: pad with zeros.
    pub zero: bool,
}

/// How many bits of a number a conversion prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// `hh`: 8 bits.
    Char,
    /// `h`: 16 bits.
    Short,
    /// None: 32 bits.
    Int,
    /// `l`, `ll`, `j`, `z`, `t`: 64 bits.
    Long,
}

/// What a conversion prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conversion {
    /// `%d`, `%i`.
    Signed,
    /// `%u`.
    Unsigned,
    /// `%o`.
    Octal,
    /// `%x`.
    Hex,
    /// `%X`.
    HexUpper,
    /// `%c`: the byte of that number.
    Char,
    /// `%p`: hexadecimal with `0x`.
    Pointer,
    /// `%s`: any value as `print` shows it.
    Str,
    /// `%r`.
    Buffer,
    /// `%rx`.
    BufferEscaped,
    /// `%rh`.
    BufferHex,
    /// `%gr`: flags of a page allocation by their names.
    GfpFlags,
}

/// Which arguments a conversion takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Integers, truth values, pointers, enums.
    Number,
    /// Buffers.
    Buffer,
    /// Every type.
    Anything,
}

impl Conversion {
    /// Which arguments it takes.
    pub fn takes(self) -> Takes {
        match self {
            Conversion::Str => Takes::Anything,
            Conversion::Buffer | Conversion::BufferEscaped | Conversion::BufferHex => Takes::Buffer,
            _ => Takes::Number,
        }
    }
}

impl fmt::Display for Conversion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Conversion::Signed => "d",
            Conversion::Unsigned => "u",
            Conversion::Octal => "o",
            Conversion::Hex => "x",
            Conversion::HexUpper => "X",
            Conversion::Char => "c",
            Conversion::Pointer => "p",
            Conversion::Str => "s",
            Conversion::Buffer => "r",
            Conversion::BufferEscaped => "rx",
            Conversion::BufferHex => "rh",
            Conversion::GfpFlags => "gr",
        })
    }
}

/// A format string that cannot be printed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct FormatError {
    /// What is wrong.
    pub kind: FormatErrorKind,
    /// Where, in bytes of the format string.
    pub span: Range<usize>,
}

/// What is wrong with a format string.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormatErrorKind {
    /// A conversion of C that has no meaning here: floating point, `%n`.
    #[error("unsupported format specifier: {0}")]
    Unsupported(String),
    /// A `*`.
    #[error("a width or precision of * is not supported")]
    Star,
    /// A width or precision above [`MAX_WIDTH`].
    #[error("a width or precision is at most {MAX_WIDTH}")]
    TooWide,
}

impl Format {
    /// Parses a format string.
    pub fn parse(format: &str) -> Result<Format, FormatError> {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut at = 0;
        while let Some(rest) = format.get(at..).filter(|rest| !rest.is_empty()) {
            let plain = rest.find('%').unwrap_or(rest.len());
            literal.push_str(rest.get(..plain).unwrap_or(rest));
            at += plain;
            let Some(directive) = format.get(at..).filter(|rest| !rest.is_empty()) else { break };
            match Directive::read(directive, at)? {
                Directive::Percent { len } => {
                    literal.push('%');
                    at += len;
                }
                Directive::Spec(spec) => {
                    at = spec.span.end;
                    if !literal.is_empty() {
                        pieces.push(Piece::Literal(std::mem::take(&mut literal)));
                    }
                    pieces.push(Piece::Spec(spec));
                }
            }
        }
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal));
        }
        Ok(Format { pieces })
    }

    /// The conversions, in the order of their arguments.
    pub fn specs(&self) -> impl Iterator<Item = &Spec> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Spec(spec) => Some(spec),
            Piece::Literal(_) => None,
        })
    }

    /// Fills in the arguments. A conversion whose argument is missing or does not fit says so in its place.
    pub fn render(&self, args: &[Value]) -> Text {
        let mut out = Vec::new();
        let mut args = args.iter();
        for piece in &self.pieces {
            match piece {
                Piece::Literal(literal) => out.extend_from_slice(&crate::raw::bytes(literal)),
                Piece::Spec(spec) => match args.next() {
                    Some(arg) => out.extend(spec.render(arg)),
                    None => out.extend_from_slice(b"!{missing argument}"),
                },
            }
        }
        Text(out)
    }
}

/// What a `%` begins.
enum Directive {
    /// `%%`, or a `%` that begins nothing.
    Percent { len: usize },
    /// A conversion.
    Spec(Spec),
}

impl Directive {
    /// Reads `text`, which begins with a `%` and stands at byte `at` of the format string.
    fn read(text: &str, at: usize) -> Result<Directive, FormatError> {
        let mut cursor = Cursor { rest: text.strip_prefix('%').unwrap_or(text) };
        let flags = cursor.flags();
        let width = cursor.number();
        let precision = if cursor.take('.') { Some(cursor.number()) } else { None };
        let letters = cursor.take_while(|c| matches!(c, 'h' | 'l' | 'L' | 'j' | 'z' | 't'));
        let conversion = cursor.conversion();
        let span = at..at + (text.len() - cursor.rest.len());
        let fail = |kind| FormatError { kind, span: span.clone() };
        let conversion = match conversion {
            Some(Found::Conversion(conversion)) => conversion,
            Some(Found::Percent) => return Ok(Directive::Percent { len: span.len() }),
            Some(Found::Unsupported(name)) => return Err(fail(FormatErrorKind::Unsupported(name.to_owned()))),
            None if cursor.rest.starts_with('*') => return Err(fail(FormatErrorKind::Star)),
            None => return Ok(Directive::Percent { len: 1 }),
        };
        let (Some(width), Some(precision)) = (width, precision.map_or(Some(None), |digits| digits.map(Some))) else {
            return Err(fail(FormatErrorKind::TooWide));
        };
        Ok(Directive::Spec(Spec { span, flags, width, precision, length: length(letters), conversion }))
    }
}

fn length(letters: &str) -> Length {
    match letters {
        "hh" => Length::Char,
        "h" => Length::Short,
        "l" | "ll" | "j" | "z" | "t" => Length::Long,
        _ => Length::Int,
    }
}

enum Found {
    Conversion(Conversion),
    Percent,
    Unsupported(&'static str),
}

/// Longest first, so that `%rx` is not `%r` followed by an x.
const CONVERSIONS: [(&str, Found); 22] = [
    ("gr", Found::Conversion(Conversion::GfpFlags)),
    ("rx", Found::Conversion(Conversion::BufferEscaped)),
    ("rh", Found::Conversion(Conversion::BufferHex)),
    ("r", Found::Conversion(Conversion::Buffer)),
    ("d", Found::Conversion(Conversion::Signed)),
    ("i", Found::Conversion(Conversion::Signed)),
    ("u", Found::Conversion(Conversion::Unsigned)),
    ("o", Found::Conversion(Conversion::Octal)),
    ("x", Found::Conversion(Conversion::Hex)),
    ("X", Found::Conversion(Conversion::HexUpper)),
    ("c", Found::Conversion(Conversion::Char)),
    ("p", Found::Conversion(Conversion::Pointer)),
    ("s", Found::Conversion(Conversion::Str)),
    ("%", Found::Percent),
    ("n", Found::Unsupported("n")),
    ("e", Found::Unsupported("e")),
    ("E", Found::Unsupported("E")),
    ("f", Found::Unsupported("f")),
    ("F", Found::Unsupported("F")),
    ("g", Found::Unsupported("g")),
    ("G", Found::Unsupported("G")),
    ("a", Found::Unsupported("a")),
];

struct Cursor<'a> {
    rest: &'a str,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, wanted: char) -> bool {
        match self.rest.strip_prefix(wanted) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !wanted(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    fn flags(&mut self) -> Flags {
        let mut flags = Flags::default();
        for flag in self.take_while(|c| matches!(c, '-' | '+' | ' ' | '#' | '0')).chars() {
            match flag {
                '-' => flags.left = true,
                '+' => flags.plus = true,
                ' ' => flags.space = true,
                '#' => flags.alternate = true,
                _ => flags.zero = true,
            }
        }
        flags
    }

    /// Digits, 0 of none; `None` when they say more than [`MAX_WIDTH`].
    fn number(&mut self) -> Option<u16> {
        match self.take_while(|c| c.is_ascii_digit()) {
            "" => Some(0),
            digits => digits.parse().ok().filter(|n| *n <= MAX_WIDTH),
        }
    }

    fn conversion(&mut self) -> Option<Found> {
        CONVERSIONS.into_iter().find_map(|(letters, found)| {
            self.rest = self.rest.strip_prefix(letters)?;
            Some(found)
        })
    }
}
