//! Where to connect, and as whom, out of a URL.

use std::fmt;

use async_nats::{ConnectOptions, ServerAddr};
use transport_traits::{Error, ErrorKind};

use crate::escape::unescape;

/// The servers of one URL.
#[derive(Clone)]
pub(crate) struct Servers {
    pub(crate) addresses: Vec<ServerAddr>,
    login: Login,
}

#[derive(Clone)]
enum Login {
    None,
    User { name: String, password: String },
    Token(String),
}

impl Servers {
    /// Reads `nats://[user:password@|token@]host[:port]`, or several of them between commas. Who logs in is what the
    /// first one with a login says.
    pub(crate) fn parse(urls: &str) -> Result<Self, Error> {
        let mut servers = Self { addresses: Vec::new(), login: Login::None };
        for url in urls.split(',') {
            let address: ServerAddr = url.trim().parse().map_err(|error| invalid().with_source(error))?;
            if !matches!(address.scheme(), "nats" | "tls") || address.host().is_empty() {
                return Err(invalid());
            }
            if matches!(servers.login, Login::None) {
                servers.login = Login::of(&address)?;
            }
            servers.addresses.push(without_login(address)?);
        }
        Ok(servers)
    }

    /// The options, with the login.
    pub(crate) fn log_in(&self, options: ConnectOptions) -> ConnectOptions {
        match self.login.clone() {
            Login::None => options,
            Login::User { name, password } => options.user_and_password(name, password),
            Login::Token(token) => options.token(token),
        }
    }
}

impl Login {
    fn of(address: &ServerAddr) -> Result<Self, Error> {
        let plain = |text: &str| unescape(text, '%').ok_or_else(invalid);
        Ok(match (address.username(), address.password()) {
            (None, _) => Self::None,
            (Some(token), None) => Self::Token(plain(token)?),
            (Some(name), Some(password)) => Self::User { name: plain(name)?, password: plain(password)? },
        })
    }
}

/// The client library logs addresses, so that no secret may be in them.
fn without_login(address: ServerAddr) -> Result<ServerAddr, Error> {
    let mut url = address.into_inner();
    url.set_username("").and_then(|()| url.set_password(None)).map_err(|()| invalid())?;
    ServerAddr::from_url(url).map_err(|error| invalid().with_source(error))
}

fn invalid() -> Error {
    Error::new(ErrorKind::Invalid, "the URL of a NATS server")
}

impl fmt::Debug for Servers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.addresses.iter().map(ServerAddr::as_url_str)).finish()
    }
}
