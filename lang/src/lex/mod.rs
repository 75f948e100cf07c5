//! The scanner: one token at a time from a byte position of the script's text.
//!
//! The parser says where to go on, because the text of an attach point follows rules of its own (see `parse::attach`): there,
//! slashes and stars belong to paths and wildcards. Preprocessor lines have been blanked out before (see
//! `parse::preprocess`), so a `#` that starts a line starts a comment. What a token's text means is said by [`number`] and [`string`].

pub mod number;
pub mod string;

use crate::span::Span;
use crate::token::{Kind, Token};

/// A position in a text.
#[derive(Clone, Debug)]
pub struct Lexer<'a> {
    text: &'a str,
    pos: usize,
    comments: Vec<Span>,
    open_comment: Option<Span>,
}

impl<'a> Lexer<'a> {
    /// A scanner at the start of `text`.
    pub fn new(text: &'a str) -> Self {
        Self::starting_at(text, 0)
    }

    /// A scanner of what stands in `text` from byte `pos` on.
    pub fn starting_at(text: &'a str, pos: usize) -> Self {
        Self { text, pos: pos.min(text.len()), comments: vec![], open_comment: None }
    }

    /// The whole text.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// Goes on at byte `pos`.
    pub fn seek(&mut self, pos: usize) {
        self.pos = pos.min(self.text.len());
    }

    /// The byte after the last token.
    pub fn pos(&self) -> usize {
        self.pos
    }

    /// Comments passed so far, in order, each once.
    pub fn comments(&self) -> &[Span] {
        &self.comments
    }

    /// A block comment that nothing closes.
    pub fn open_comment(&self) -> Option<Span> {
        self.open_comment
    }

    /// The byte `ahead` of the position; 0 past the end.
    pub fn byte(&self, ahead: usize) -> u8 {
        self.text.as_bytes().get(self.pos + ahead).copied().unwrap_or(0)
    }

    /// Passes over blanks and comments.
    pub fn skip_layout(&mut self) {
        loop {
            match self.byte(0) {
                b' ' | b'\t' | b'\r' | b'\n' | 0x0b | 0x0c => self.pos += 1,
                b'/' if self.byte(1) == b'/' => self.line_comment(),
                b'/' if self.byte(1) == b'*' => self.block_comment(),
                b'#' if self.starts_line() => self.line_comment(),
                _ => return,
            }
        }
    }

    /// Passes over blanks and comments and reads the token there.
    pub fn token(&mut self) -> Token {
        self.skip_layout();
        let start = self.pos;
        let kind = self.scan();
        Token { kind, span: Span::new(start, self.pos) }
    }

    fn scan(&mut self) -> Kind {
        match self.byte(0) {
            0 if self.pos >= self.text.len() => Kind::End,
            b'0'..=b'9' => {
                self.pos += number::length(self.text.get(self.pos..).unwrap_or_default());
                Kind::Int
            }
            b'"' => {
                self.pos += string::length(self.text.get(self.pos..).unwrap_or_default());
                Kind::Str
            }
            b'$' => self.dollar(),
            b'@' => {
                self.pos += 1;
                if is_name_start(self.byte(0)) {
                    self.name();
                }
                Kind::Map
            }
            b if is_name_start(b) => {
                self.name();
                Kind::Ident
            }
            _ => self.operator(),
        }
    }

    fn dollar(&mut self) -> Kind {
        self.pos += 1;
        match self.byte(0) {
            b'#' => {
                self.pos += 1;
                Kind::PositionalCount
            }
            b'0'..=b'9' => {
                while self.byte(0).is_ascii_digit() {
                    self.pos += 1;
                }
                Kind::Positional
            }
            b if is_name_start(b) => {
                self.name();
                Kind::Variable
            }
            _ => Kind::Unknown,
        }
    }

    fn name(&mut self) {
        while is_name_byte(self.byte(0)) {
            self.pos += 1;
        }
    }

    fn operator(&mut self) -> Kind {
        let rest = self.text.get(self.pos..).unwrap_or_default();
        for (text, kind) in OPERATORS {
            if rest.starts_with(text) {
                self.pos += text.len();
                return *kind;
            }
        }
        self.pos += rest.chars().next().map_or(1, char::len_utf8);
        Kind::Unknown
    }

    fn starts_line(&self) -> bool {
        let before = self.text.get(..self.pos).unwrap_or_default();
        before.trim_end_matches([' ', '\t']).ends_with('\n') || before.trim().is_empty()
    }

    fn line_comment(&mut self) {
        let start = self.pos;
        let rest = self.text.as_bytes().get(start..).unwrap_or_default();
        self.pos += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        self.note(start);
    }

    fn block_comment(&mut self) {
        let start = self.pos;
        let rest = self.text.as_bytes().get(start + 2..).unwrap_or_default();
        match memchr::memmem::find(rest, b"*/") {
            Some(length) => self.pos += length + 4,
            None => {
                self.pos = self.text.len();
                self.open_comment = Some(Span::new(start, start + 2));
            }
        }
        self.note(start);
    }

    fn note(&mut self, start: usize) {
        if self.comments.last().is_none_or(|last| (last.end as usize) <= start) {
            self.comments.push(Span::new(start, self.pos));
        }
    }
}

/// Whether a name may start with it.
pub fn is_name_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_'
}

/// Whether a name may hold it.
pub fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Longest first where one starts another.
const OPERATORS: &[(&str, Kind)] = &[
    ("<<=", Kind::ShlAssign),
    (">>=", Kind::ShrAssign),
    ("..", Kind::DotDot),
    ("->", Kind::Arrow),
    ("++", Kind::PlusPlus),
    ("--", Kind::MinusMinus),
    ("+=", Kind::PlusAssign),
    ("-=", Kind::MinusAssign),
    ("*=", Kind::StarAssign),
    ("/=", Kind::SlashAssign),
    ("%=", Kind::PercentAssign),
    ("&=", Kind::AmpAssign),
    ("|=", Kind::PipeAssign),
    ("^=", Kind::CaretAssign),
    ("&&", Kind::AmpAmp),
    ("||", Kind::PipePipe),
    ("==", Kind::EqEq),
    ("!=", Kind::NotEq),
    ("<<", Kind::Shl),
    (">>", Kind::Shr),
    ("<=", Kind::Le),
    (">=", Kind::Ge),
    ("(", Kind::LParen),
    (")", Kind::RParen),
    ("[", Kind::LBracket),
    ("]", Kind::RBracket),
    ("{", Kind::LBrace),
    ("}", Kind::RBrace),
    (";", Kind::Semicolon),
    (",", Kind::Comma),
    (":", Kind::Colon),
    ("?", Kind::Question),
    (".", Kind::Dot),
    ("=", Kind::Assign),
    ("+", Kind::Plus),
    ("-", Kind::Minus),
    ("*", Kind::Star),
    ("/", Kind::Slash),
    ("%", Kind::Percent),
    ("&", Kind::Amp),
    ("|", Kind::Pipe),
    ("^", Kind::Caret),
    ("~", Kind::Tilde),
    ("!", Kind::Bang),
    ("<", Kind::Lt),
    (">", Kind::Gt),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<Kind> {
        let mut lexer = Lexer::new(text);
        std::iter::from_fn(|| Some(lexer.token().kind).filter(|kind| *kind != Kind::End)).collect()
    }

    #[test]
    fn the_longest_operator_wins() {
        assert_eq!(kinds("<<= << <= <"), [Kind::ShlAssign, Kind::Shl, Kind::Le, Kind::Lt]);
        assert_eq!(
            kinds("a--b->c-d"),
            [Kind::Ident, Kind::MinusMinus, Kind::Ident, Kind::Arrow, Kind::Ident, Kind::Minus, Kind::Ident]
        );
    }

    #[test]
    fn a_range_is_not_taken_for_a_fraction() {
        assert_eq!(kinds("0..10"), [Kind::Int, Kind::DotDot, Kind::Int]);
        assert_eq!(kinds("$kv.0.1"), [Kind::Variable, Kind::Dot, Kind::Int, Kind::Dot, Kind::Int]);
    }

    #[test]
    fn sigils_make_their_own_kinds() {
        assert_eq!(
            kinds("$x $1 $# @ @m $"),
            [Kind::Variable, Kind::Positional, Kind::PositionalCount, Kind::Map, Kind::Map, Kind::Unknown]
        );
    }

    #[test]
    fn comments_of_all_forms_are_passed_over_and_remembered() {
        let mut lexer = Lexer::new("# first\na // b\n/* c */ d\n  # last");
        while lexer.token().kind != Kind::End {}
        let texts: Vec<&str> = lexer.comments().iter().map(|span| &lexer.text()[span.range()]).collect();
        assert_eq!(texts, ["# first", "// b", "/* c */", "# last"]);
    }

    #[test]
    fn an_open_comment_is_noticed() {
        let mut lexer = Lexer::new("a /* b");
        lexer.token();
        assert_eq!(lexer.token().kind, Kind::End);
        assert_eq!(lexer.open_comment(), Some(Span::new(2, 4)));
    }

    #[test]
    fn characters_outside_the_language_are_tokens_of_their_own() {
        assert_eq!(kinds("é ` x"), [Kind::Unknown, Kind::Unknown, Kind::Ident]);
    }
}
