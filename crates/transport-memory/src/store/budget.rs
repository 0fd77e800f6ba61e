//! The requests that one server may still make.

use parking_lot::Mutex;
use transport_traits::limits::{FleetRate, Load};
use transport_traits::{Error, Instant, StoreLimits};

use crate::window::{Window, take};

/// The kinds of request that stores count apart.
#[derive(Clone, Copy, Debug)]
pub(super) enum Request {
    Read,
    Write,
    Remove,
    List,
}

impl Request {
    const fn name(self) -> &'static str {
        match self {
            Self::Read => "reads",
            Self::Write => "writes",
            Self::Remove => "removes",
            Self::List => "lists",
        }
    }
}

/// One server's windows, by kind of request.
pub(super) struct Budget([Option<Mutex<Window>>; 4]);

impl Budget {
    pub(super) fn new(limits: &StoreLimits, load: Load) -> Self {
        let rates = [limits.reads, limits.writes, limits.removes, limits.lists];
        Self(rates.map(|rate| window(rate, load)))
    }

    /// Takes one request from the server's own window and from `together`, the whole application's.
    pub(super) fn take(
        &self,
        request: Request,
        together: Option<&Mutex<Window>>,
        now: Instant,
    ) -> Result<(), Error> {
        // A server's window is always locked before the application's.
        let mut own = self.0[request as usize].as_ref().map(Mutex::lock);
        let mut together = together.map(Mutex::lock);
        take([own.as_deref_mut(), together.as_deref_mut()], now, 1)
            .map_err(|shortage| Error::new(shortage.throttled(now), request.name()))
    }
}

/// The window of a rate, for those who share it.
pub(super) fn window(rate: Option<FleetRate>, load: Load) -> Option<Mutex<Window>> {
    rate.map(|rate| Mutex::new(Window::of_rate(rate, load)))
}
