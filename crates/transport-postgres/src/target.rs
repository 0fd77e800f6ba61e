//! Where to connect, as whom and how, out of a URL and the options.

use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres_rustls::MakeRustlsConnect;
use transport_adapter::check;
use transport_traits::{Error, ErrorKind};

use crate::{Options, names, tls};

/// The usual one, which the statements are written for, whatever the database has for a default: writers of one record
/// wait for each other. With a stricter one all but one would fail.
const ISOLATION: &str = r"default_transaction_isolation=read\ committed";

/// What a connection is made from.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) config: Config,
    pub(crate) tls: MakeRustlsConnect,
}

impl Target {
    pub(crate) fn new(url: &str, options: &Options) -> Result<Self, Error> {
        check::timeout(options.timeout)?;
        names::check_prefix(&options.prefix)?;
        // The reason is left out, for it can contain parts of the URL.
        let mut config: Config =
            url.parse().map_err(|_| Error::new(ErrorKind::Invalid, "the URL of a PostgreSQL server"))?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(Error::new(ErrorKind::Invalid, "the URL of a PostgreSQL server: it names no host"));
        }
        config.options(session(&config, options));
        config.connect_timeout(*config.get_connect_timeout().unwrap_or(&options.timeout));
        if config.get_application_name().is_none() {
            config.application_name("nexus");
        }
        Ok(Self { config, tls: MakeRustlsConnect::new(tls::configuration(options)?) })
    }
}

/// What sessions begin with: what the URL says, and then what goes before it.
fn session(config: &Config, options: &Options) -> String {
    let given = config.get_options().unwrap_or_default();
    // So that a statement given up here ends there, too.
    let patience = options.timeout.as_millis().clamp(1, i32::MAX as u128);
    format!("{given} -c {ISOLATION} -c statement_timeout={patience}")
}

/// How long an answer may take: longer than the server may work on it, so that it is the server that gives up.
pub(crate) fn patience(options: &Options) -> Duration {
    options.timeout.saturating_mul(2)
}
