//! A bus and a data store in one process, for tests and single-process fleets.
