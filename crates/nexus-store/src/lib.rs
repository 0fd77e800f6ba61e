//! Save data shared by a fleet of servers: cached, buffered, and seen on every server within a second or two.
