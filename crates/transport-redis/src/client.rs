//! What makes connections: the URL, and whom to trust and how to prove oneself on encrypted ones.

use redis::{Client, ClientTlsConfig, ConnectionAddr, IntoConnectionInfo, TlsCertificates};
use rustls::crypto::{CryptoProvider, ring};
use transport_adapter::check;
use transport_traits::{Error, ErrorKind};

use crate::Options;
use crate::fault::unconnected;

/// The client for a URL.
pub(crate) fn client(url: &str, options: &Options) -> Result<Client, Error> {
    check::timeout(options.timeout)?;
    let to = url.into_connection_info().map_err(unconnected)?;
    let is_encrypted = matches!(to.addr(), ConnectionAddr::TcpTls { .. });
    if !is_encrypted {
        return match (&options.root_certificates, &options.client_certificate) {
            (None, None) => Client::open(to).map_err(unconnected),
            _ => Err(Error::new(ErrorKind::Invalid, "certificates for a URL that is not rediss://")),
        };
    }
    provide_cryptography();
    let client_tls = options.client_certificate.clone();
    let client_tls = client_tls
        .map(|[certificate, key]| ClientTlsConfig { client_cert: certificate.0, client_key: key.0 });
    let root_cert = options.root_certificates.clone().map(|hidden| hidden.0);
    let certificates = TlsCertificates { client_tls, root_cert };
    // Without the source: what is wrong with a key is no one else's business.
    Client::build_with_tls(to, certificates)
        .map_err(|_| Error::new(ErrorKind::Invalid, "certificates for connecting to Redis"))
}

/// The client library takes the process's provider of cryptography, and panics where several are linked into the program
/// and none was chosen.
fn provide_cryptography() {
    if CryptoProvider::get_default().is_none() {
        // Fails if another thread was faster, which is as good.
        drop(ring::default_provider().install_default());
    }
}
