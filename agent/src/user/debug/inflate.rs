//! Sections that are packed: what they come to. One that is corrupt comes to nothing, whatever is wrong with it.

use std::io::{self, Read};

use flate2::read::ZlibDecoder;
use lzma_rust2::XzReader;
use ruzstd::decoding::StreamingDecoder;

/// The most that a section comes to, in bytes.
const MOST: u64 = 1 << 30;
/// The most memory that a packed section may ask for to be unpacked with, in bytes.
const MOST_WINDOW: u64 = 1 << 27;

/// How a section is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packed {
    /// `ELFCOMPRESS_ZLIB`
    Zlib,
    /// `ELFCOMPRESS_ZSTD`
    Zstandard,
    /// As a file of its own.
    Xz,
}

impl Packed {
    /// What `stored` comes to, of which only the first `size` bytes are wanted.
    pub fn inflate(self, stored: &[u8], size: u64) -> Vec<u8> {
        if size > MOST {
            tracing::debug!(size, "a section of debug information is left packed");
            return Vec::new();
        }
        let read = |from: &mut dyn Read| {
            let mut bytes = Vec::new();
            from.take(size).read_to_end(&mut bytes).map(|_| bytes)
        };
        let inflated = match self {
            Self::Zlib => read(&mut ZlibDecoder::new(stored)),
            Self::Zstandard => StreamingDecoder::new_with_max_window_size(stored, MOST_WINDOW)
                .map_err(io::Error::other)
                .and_then(|mut from| read(&mut from)),
            Self::Xz => read(&mut XzReader::new_mem_limit(stored, false, (MOST_WINDOW >> 10) as u32)),
        };
        inflated.unwrap_or_else(|error| {
            tracing::debug!(%error, "a section of debug information cannot be unpacked");
            Vec::new()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_corrupt_comes_to_nothing() {
        for packed in [Packed::Zlib, Packed::Zstandard, Packed::Xz] {
            assert_eq!(packed.inflate(b"not packed at all", 100), b"");
            assert_eq!(packed.inflate(b"", u64::MAX), b"");
        }
    }
}
