//! Mocks of the transport ports and a clock turned by hand, for the tests of this workspace.

mod manual_timer;
mod ports;

pub use manual_timer::ManualTimer;
pub use ports::{MockDataStore, MockPublisher, MockSubscriber};
