//! The tests of the mocks and of the clock.

mod manual_timer;
mod ports;
