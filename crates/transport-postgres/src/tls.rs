//! Whom to trust, and how to prove oneself, on encrypted connections.

use std::sync::Arc;

use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use transport_traits::{Error, ErrorKind};

use crate::Options;

/// The whole configuration, with its cryptography named: rustls panics when it has to choose between two that are linked
/// into one program.
pub(crate) fn configuration(options: &Options) -> Result<ClientConfig, Error> {
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| invalid("TLS").with_source(error))?
        .with_root_certificates(roots(options.root_certificates.as_ref().map(|pem| pem.0.as_slice()))?);
    let Some([certificate, key]) = &options.client_certificate else {
        return Ok(builder.with_no_client_auth());
    };
    // Not as a source: what is wrong with a key is no one else's business.
    let key =
        PrivateKeyDer::from_pem_slice(&key.0).map_err(|_| invalid("the key of a client certificate"))?;
    builder
        .with_client_auth_cert(certificates(&certificate.0)?, key)
        .map_err(|error| invalid("a client certificate").with_source(error))
}

fn roots(pem: Option<&[u8]>) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    match pem {
        Some(pem) => {
            for certificate in certificates(pem)? {
                roots.add(certificate).map_err(|error| invalid("a root certificate").with_source(error))?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    Ok(roots)
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found = found.map_err(|error| invalid("certificates").with_source(error))?;
    if found.is_empty() { Err(invalid("certificates: there are none")) } else { Ok(found) }
}

fn invalid(what: &str) -> Error {
    Error::new(ErrorKind::Invalid, what)
}
