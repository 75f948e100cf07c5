//! The certificate authority of a fleet in a folder: `ca.crt` for the agents, and `ca.key`, which is the operator's alone.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::http::tls::{Authority, TlsError};

/// The certificate's file: agents are started with it.
const CERTIFICATE: &str = "ca.crt";
/// The private key's file.
const KEY: &str = "ca.key";

/// Why there is no authority.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    /// A file cannot be read or written.
    #[error("{}: {error}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// What the files hold is no authority.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// The authority kept in this folder, made when there is none: agents still trust an operator that was restarted.
pub fn ensure(folder: &Path) -> Result<Authority, KeptError> {
    let (certificate, key) = (folder.join(CERTIFICATE), folder.join(KEY));
    match (read(&certificate)?, read(&key)?) {
        (Some(certificate), Some(key)) => Ok(Authority::from_pem(&certificate, &key)?),
        _ => {
            let authority = Authority::new()?;
            fs::create_dir_all(folder).map_err(|error| KeptError::File { path: folder.to_owned(), error })?;
            write(&key, &authority.key_pem(), 0o600)?;
            write(&certificate, authority.certificate_pem(), 0o644)?;
            Ok(authority)
        }
    }
}

fn read(path: &Path) -> Result<Option<String>, KeptError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(KeptError::File { path: path.to_owned(), error }),
    }
}

fn write(path: &Path, text: &str, mode: u32) -> Result<(), KeptError> {
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| KeptError::File { path: path.to_owned(), error })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_second_operator_has_the_authority_of_the_first() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = ensure(folder.path()).expect("an authority");
        let second = ensure(folder.path()).expect("the same");
        assert_eq!(first.certificate_pem(), second.certificate_pem());
        let mode = fs::metadata(folder.path().join(KEY)).expect("a key").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
