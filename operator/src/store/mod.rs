//! Where documents outlive the operator: ConfigMaps owned by their TraceJob, or files in a folder.

mod config_maps;
mod encoding;
mod files;

use crate::index::document::Document;
use crate::index::{JobRef, StoreOutcome};

pub use config_maps::ConfigMaps;
pub use files::{Files, write};

/// Why a document could not be stored or had again.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The API server refused or was not there.
    #[error("the API server: {0}")]
    Kube(Box<kube::Error>),
    /// A file could not be written or read.
    #[error("{}: {error}", path.display())]
    File {
        /// Which.
        path: std::path::PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// It does not fit, even without what may be left out.
    #[error("the result has {bytes} bytes when compressed; at most {most} can be stored")]
    TooLarge {
        /// How large it is.
        bytes: usize,
        /// How large it may be.
        most: usize,
    },
    /// What is stored is not a document.
    #[error("what is stored cannot be read: {0}")]
    Damaged(String),
}

impl From<kube::Error> for StoreError {
    fn from(error: kube::Error) -> Self {
        Self::Kube(Box::new(error))
    }
}

/// A place for documents.
#[derive(Clone)]
pub enum Store {
    /// On the API server.
    ConfigMaps(ConfigMaps),
    /// In a folder.
    Files(Files),
}

impl Store {
    /// Stores a job's document in place of the one before.
    pub async fn save(&self, job: &JobRef, document: Document) -> StoreOutcome {
        let saved = match self {
            Self::ConfigMaps(config_maps) => config_maps.save(job, document).await,
            Self::Files(files) => files.save(job, &document).map(|()| StoreOutcome::Whole),
        };
        saved.unwrap_or_else(|error| StoreOutcome::Failed(error.to_string()))
    }

    /// A job's document, if there is one.
    pub async fn load(&self, job: &JobRef) -> Result<Option<Document>, StoreError> {
        match self {
            Self::ConfigMaps(config_maps) => config_maps.load(job).await,
            Self::Files(files) => files.load(job),
        }
    }
}
