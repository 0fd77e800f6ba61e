//! Certificates for encrypted connections in tests.

use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

/// A certificate and its key, in PEM.
pub struct Proof {
    /// Whom it names, and who vouches for that.
    pub certificate: String,
    /// What only the one who is named knows.
    pub key: String,
}

/// An authority of the test's own, which nobody trusts unless told to.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    /// Makes one.
    ///
    /// # Panics
    /// If the system has no randomness.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "no two are the same")]
    pub fn new() -> Self {
        let mut parameters = CertificateParams::new([]).expect("no names are valid names");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // With the default, everybody's name, OpenSSL takes those vouched for to vouch for themselves.
        parameters.distinguished_name.push(DnType::CommonName, "an authority of tests");
        let key = KeyPair::generate().expect("the system gives randomness");
        Self(CertifiedIssuer::self_signed(parameters, key).expect("the key signs"))
    }

    /// Its own certificate in PEM: what clients trust.
    #[must_use]
    pub fn certificate(&self) -> String {
        self.0.pem()
    }

    /// A certificate for a host or a user.
    ///
    /// # Panics
    /// If the name is not ASCII.
    #[must_use]
    pub fn vouch_for(&self, name: &str) -> Proof {
        let key = KeyPair::generate().expect("the system gives randomness");
        let parameters = CertificateParams::new([name.to_owned()]).expect("an ASCII name");
        let certificate = parameters.signed_by(&key, &self.0).expect("the authority's key signs");
        Proof { certificate: certificate.pem(), key: key.serialize_pem() }
    }

    /// What a server needs, as the files `server.pem`, `server.key` and `ca.pem` in `folder`, in this order.
    ///
    /// # Panics
    /// If they cannot be written.
    #[must_use]
    pub fn files_for(&self, name: &str, folder: &Path) -> [PathBuf; 3] {
        let proof = self.vouch_for(name);
        let files =
            [("server.pem", proof.certificate), ("server.key", proof.key), ("ca.pem", self.certificate())];
        files.map(|(file, text)| {
            let path = folder.join(file);
            std::fs::write(&path, text).expect("the folder is the test's own");
            path
        })
    }
}
