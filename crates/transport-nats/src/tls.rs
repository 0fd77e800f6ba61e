//! Whom to trust, and how to prove oneself, on encrypted connections.

use std::sync::Arc;

use async_nats::rustls::crypto::{CryptoProvider, ring};
use async_nats::rustls::pki_types::pem::PemObject;
use async_nats::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use async_nats::rustls::{ClientConfig, RootCertStore};
use transport_adapter::Hidden;
use transport_traits::{Error, ErrorKind};

use crate::Options;

/// The whole configuration, with the process's provider of cryptography, or `ring` where none was chosen. The client
/// library would make one too, but where two providers are linked into one program and none was chosen it panics.
pub(crate) fn configuration(options: &Options) -> Result<ClientConfig, Error> {
    let chosen = CryptoProvider::get_default().cloned();
    let provider = chosen.unwrap_or_else(|| Arc::new(ring::default_provider()));
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| invalid("TLS").with_source(error))?
        .with_root_certificates(roots(options.root_certificates.as_ref())?);
    let Some([certificate, key]) = &options.client_certificate else {
        return Ok(builder.with_no_client_auth());
    };
    // Not as a source: what is wrong with a key is no one else's business.
    let key =
        PrivateKeyDer::from_pem_slice(&key.0).map_err(|_| invalid("the key of a client certificate"))?;
    builder
        .with_client_auth_cert(certificates(certificate)?, key)
        .map_err(|error| invalid("a client certificate").with_source(error))
}

fn roots(pem: Option<&Hidden<Vec<u8>>>) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    match pem {
        Some(pem) => {
            for certificate in certificates(pem)? {
                roots.add(certificate).map_err(|error| invalid("a root certificate").with_source(error))?;
            }
        }
        None => {
            let found = rustls_native_certs::load_native_certs();
            roots.add_parsable_certificates(found.certs);
        }
    }
    Ok(roots)
}

fn certificates(pem: &Hidden<Vec<u8>>) -> Result<Vec<CertificateDer<'static>>, Error> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem.0).collect();
    let found = found.map_err(|error| invalid("certificates").with_source(error))?;
    if found.is_empty() { Err(invalid("certificates: there are none")) } else { Ok(found) }
}

fn invalid(what: &str) -> Error {
    Error::new(ErrorKind::Invalid, what)
}
