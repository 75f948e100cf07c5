//! The certificate authority of an installation: a Secret that operators share, and a ConfigMap that agents mount.

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::api::{ObjectMeta, Patch, PatchParams, PostParams};
use kube::{Api, Client};

use crate::FIELD_MANAGER;
use crate::http::tls::{Authority, TlsError};

/// The name of the Secret, and of the ConfigMap.
pub const NAME: &str = "bpfleet-ca";
/// The certificate's key in both.
const CERTIFICATE: &str = "ca.crt";
/// The private key's key in the Secret.
const KEY: &str = "ca.key";

/// Why there is no authority.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// The API server refused or was not there.
    #[error("{NAME}: {0}")]
    Kube(Box<kube::Error>),
    /// The certificate cannot be made.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The Secret is there but holds something else.
    #[error("Secret {NAME} holds no {0}; delete it to have a new authority made")]
    Incomplete(&'static str),
}

impl From<kube::Error> for AuthorityError {
    fn from(error: kube::Error) -> Self {
        Self::Kube(Box::new(error))
    }
}

/// The installation's authority, made when there is none; agents find its certificate in the ConfigMap afterwards.
pub async fn ensure(client: &Client, namespace: &str) -> Result<Authority, AuthorityError> {
    let secrets: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let authority = match secrets.get_opt(NAME).await? {
        Some(secret) => read(&secret)?,
        None => create(&secrets).await?,
    };
    let config_map = ConfigMap {
        metadata: ObjectMeta { name: Some(NAME.to_owned()), ..ObjectMeta::default() },
        data: Some([(CERTIFICATE.to_owned(), authority.certificate_pem().to_owned())].into()),
        ..ConfigMap::default()
    };
    let config_maps: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
    config_maps.patch(NAME, &PatchParams::apply(FIELD_MANAGER).force(), &Patch::Apply(&config_map)).await?;
    Ok(authority)
}

async fn create(secrets: &Api<Secret>) -> Result<Authority, AuthorityError> {
    let authority = Authority::new()?;
    let data = [(CERTIFICATE, authority.certificate_pem().to_owned()), (KEY, authority.key_pem())];
    let secret = Secret {
        metadata: ObjectMeta { name: Some(NAME.to_owned()), ..ObjectMeta::default() },
        data: Some(data.map(|(key, pem)| (key.to_owned(), ByteString(pem.into_bytes()))).into()),
        ..Secret::default()
    };
    match secrets.create(&PostParams::default(), &secret).await {
        Ok(_) => Ok(authority),
        // Another operator was faster: its authority is the one.
        Err(kube::Error::Api(status)) if status.code == 409 => read(&secrets.get(NAME).await?),
        Err(error) => Err(error.into()),
    }
}

fn read(secret: &Secret) -> Result<Authority, AuthorityError> {
    let text = |key: &'static str| {
        let bytes = secret.data.as_ref().and_then(|data| data.get(key)).ok_or(AuthorityError::Incomplete(key))?;
        std::str::from_utf8(&bytes.0).map_err(|_| AuthorityError::Incomplete(key))
    };
    Ok(Authority::from_pem(text(CERTIFICATE)?, text(KEY)?)?)
}
