//! The certificates and keys of one test cluster, all signed by one authority that exists only in its folder.

use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};

/// Paths of PEM files.
#[derive(Debug)]
pub struct Certificates {
    folder: PathBuf,
}

impl Certificates {
    /// Writes into `folder`: `ca.crt`, a server certificate for 127.0.0.1 (`server.crt`, `server.key`), a client
    /// certificate of the cluster's administrator (`admin.crt`, `admin.key`) and the key pair behind service-account
    /// tokens (`tokens.key`, `tokens.pub`).
    ///
    /// # Panics
    /// When the folder cannot be written.
    pub fn write(folder: &Path) -> Certificates {
        let authority_key = KeyPair::generate().expect("a key");
        let mut authority = CertificateParams::default();
        authority.distinguished_name.push(DnType::CommonName, "test cluster");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let certificate = authority.self_signed(&authority_key).expect("an authority");
        let issuer = Issuer::new(authority, authority_key);
        let certificates = Certificates { folder: folder.to_owned() };
        certificates.put("ca.crt", &certificate.pem());

        let names = ["127.0.0.1".to_owned(), "localhost".to_owned()];
        let mut server = CertificateParams::new(names).expect("valid names");
        server.distinguished_name.push(DnType::CommonName, "kube-apiserver");
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        certificates.sign("server", &server, &issuer);

        let mut admin = CertificateParams::default();
        admin.distinguished_name.push(DnType::CommonName, "admin");
        admin.distinguished_name.push(DnType::OrganizationName, "system:masters");
        admin.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        certificates.sign("admin", &admin, &issuer);

        let tokens = KeyPair::generate().expect("a key");
        certificates.put("tokens.key", &tokens.serialize_pem());
        certificates.put("tokens.pub", &tokens.public_key_pem());
        certificates
    }

    /// The path of one of the files.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn sign(&self, name: &str, params: &CertificateParams, issuer: &Issuer<'_, KeyPair>) {
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, issuer).expect("a certificate");
        self.put(&format!("{name}.crt"), &certificate.pem());
        self.put(&format!("{name}.key"), &key.serialize_pem());
    }

    fn put(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("a writable folder");
    }
}
