//! Documents as bytes: JSON, compressed with gzip, so that `gunzip` and `jq` read them.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use super::StoreError;
use crate::index::document::Document;

/// Most bytes a document may have when it is unpacked.
const MOST: u64 = 512 * 1024 * 1024;

/// Packs a document.
pub fn pack(document: &Document) -> Result<Vec<u8>, StoreError> {
    let damaged = |error: &dyn std::fmt::Display| StoreError::Damaged(error.to_string());
    let json = serde_json::to_vec(document).map_err(|error| damaged(&error))?;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&json).map_err(|error| damaged(&error))?;
    encoder.finish().map_err(|error| damaged(&error))
}

/// Unpacks one.
pub fn unpack(bytes: &[u8]) -> Result<Document, StoreError> {
    let mut json = Vec::new();
    GzDecoder::new(bytes).take(MOST).read_to_end(&mut json).map_err(|error| StoreError::Damaged(error.to_string()))?;
    serde_json::from_slice(&json).map_err(|error| StoreError::Damaged(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::document::Checkpoint;

    #[test]
    fn a_document_comes_back_as_it_was() {
        let nodes = vec!["node-a".to_owned(), "node-b".to_owned()];
        let document = Document::Checkpoint(Checkpoint { script: "BEGIN {}".to_owned(), nodes, orphans: vec![] });
        let packed = pack(&document).expect("packs");
        assert_eq!(unpack(&packed).expect("unpacks"), document);
        assert!(unpack(&packed[..packed.len() / 2]).is_err());
        assert!(unpack(b"nonsense").is_err());
    }
}
