//! A durable data store in one SQLite file, without a server.
