//! Bytes that are no text, inside of text: each is kept as a character of the last private plane, so that what a script writes as
//! `"\\xff"` travels wherever text does and comes out as the byte it is.

use std::borrow::Cow;

/// The character that stands for byte 0; those for the other bytes follow it.
const FIRST: u32 = 0x10_ff00;

/// Bytes as text: what is valid UTF-8 stays as it is.
pub fn text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match byte(character) {
                // Written as such it is not one of ours, but must not become one.
                Some(_) => character.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| text.extend(character_of(byte))),
                None => text.push(character),
            }
        }
        chunk.invalid().iter().for_each(|byte| text.extend(character_of(*byte)));
    }
    text
}

/// The bytes that a text stands for.
pub fn bytes(text: &str) -> Cow<'_, [u8]> {
    if !text.chars().any(|character| byte(character).is_some()) {
        return Cow::Borrowed(text.as_bytes());
    }
    let mut bytes = Vec::with_capacity(text.len());
    for character in text.chars() {
        match byte(character) {
            Some(byte) => bytes.push(byte),
            None => bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    Cow::Owned(bytes)
}

/// The byte that a character stands for.
pub fn byte(character: char) -> Option<u8> {
    u32::from(character).checked_sub(FIRST).and_then(|byte| u8::try_from(byte).ok())
}

fn character_of(byte: u8) -> Option<char> {
    char::from_u32(FIRST + u32::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_its_own_bytes() {
        assert!(matches!(bytes("plain é漢"), Cow::Borrowed(b) if b == "plain é漢".as_bytes()));
        assert_eq!(text("plain é漢".as_bytes()), "plain é漢");
    }

    #[test]
    fn any_bytes_come_back() {
        let all: Vec<u8> = (0..=255).collect();
        for given in [&all, &b"\xffa\xc3\xa9\xc3"[..], "\u{10ff41}".as_bytes(), b""] {
            assert_eq!(*bytes(&text(given)), *given);
        }
    }
}
