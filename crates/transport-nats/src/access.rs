//! What it takes to connect: once checked, for every time.

use std::fmt;

use async_nats::rustls::ClientConfig;
use transport_adapter::check;
use transport_traits::Error;

use crate::servers::Servers;
use crate::{Options, keys, tls};

#[derive(Clone)]
pub(crate) struct Access {
    pub(crate) servers: Servers,
    pub(crate) options: Options,
    pub(crate) tls: ClientConfig,
}

impl Access {
    pub(crate) fn new(url: &str, options: Options) -> Result<Self, Error> {
        check::timeout(options.timeout)?;
        keys::check(&options.prefix, &options.bucket)?;
        Ok(Self { servers: Servers::parse(url)?, tls: tls::configuration(&options)?, options })
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { servers, options, tls: _ } = self;
        f.debug_struct("Access").field("servers", servers).field("options", options).finish()
    }
}
