//! Documents as files in a folder, one for each job.

use std::path::{Path, PathBuf};

use super::{StoreError, encoding};
use crate::index::JobRef;
use crate::index::document::Document;

/// A folder of documents.
#[derive(Clone, Debug)]
pub struct Files {
    folder: PathBuf,
}

impl Files {
    /// Documents in this folder, which is made when it is missing.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Where the documents are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn save(&self, job: &JobRef, document: &Document) -> Result<(), StoreError> {
        let packed = encoding::pack(document)?;
        write(&self.path(job), &packed)
    }

    pub(super) fn load(&self, job: &JobRef) -> Result<Option<Document>, StoreError> {
        let path = self.path(job);
        match std::fs::read(&path) {
            Ok(bytes) => encoding::unpack(&bytes).map(Some),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StoreError::File { path, error }),
        }
    }

    fn path(&self, job: &JobRef) -> PathBuf {
        self.folder.join(format!("{}.results.json.gz", job.uid))
    }
}

/// Writes a file so that a reader sees either the old or the new one; makes its folder when it is missing.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let failed = |error| StoreError::File { path: path.to_owned(), error };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let unfinished = path.with_extension("unfinished");
    std::fs::write(&unfinished, bytes).map_err(failed)?;
    std::fs::rename(&unfinished, path).map_err(failed)
}
