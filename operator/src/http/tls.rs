//! Certificates: an own authority, and the certificate for the agents' port signed by it.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A key or a certificate cannot be made or read.
    #[error("certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// TLS does not take them.
    #[error("TLS: {0}")]
    Tls(#[from] rustls::Error),
}

/// A certificate authority that signs nothing but the operator's own certificate.
#[derive(Debug)]
pub struct Authority {
    certificate: String,
    key: KeyPair,
}

impl Authority {
    /// A new one.
    pub fn new() -> Result<Self, TlsError> {
        let key = KeyPair::generate()?;
        let certificate = authority_params().self_signed(&key)?.pem();
        Ok(Self { certificate, key })
    }

    /// One that [`Self::new`] made and that was kept as PEM.
    pub fn from_pem(certificate: &str, key: &str) -> Result<Self, TlsError> {
        Ok(Self { certificate: certificate.to_owned(), key: KeyPair::from_pem(key)? })
    }

    /// Its certificate as PEM: what agents are to trust.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate
    }

    /// Its private key as PEM.
    pub fn key_pem(&self) -> String {
        self.key.serialize_pem()
    }

    /// The settings of a server with these names (DNS names or addresses). The certificate is new and lives in memory only.
    pub fn server(&self, names: &[String]) -> Result<ServerConfig, TlsError> {
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name = named("bpfleet operator");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let issuer = Issuer::new(authority_params(), &self.key);
        let certificate = params.signed_by(&key, &issuer)?;
        let private = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], private)?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(config)
    }
}

/// What every authority of ours says of itself; with its key that is all that signing needs.
fn authority_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = named("bpfleet authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    params
}

fn named(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_that_was_kept_still_signs() {
        let authority = Authority::new().expect("an authority");
        let again = Authority::from_pem(authority.certificate_pem(), &authority.key_pem()).expect("the same");
        let names = ["bpfleet-operator.bpfleet.svc".to_owned(), "127.0.0.1".to_owned()];
        assert_eq!(again.server(&names).expect("settings").alpn_protocols, [b"h2".to_vec()]);
        let other = Authority::new().expect("another");
        assert_ne!(other.certificate_pem(), authority.certificate_pem());
    }

    #[test]
    fn what_is_no_certificate_is_refused() {
        assert!(Authority::from_pem("nonsense", "nonsense").is_err());
    }
}
