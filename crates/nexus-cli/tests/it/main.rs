//! The `nexus` program as its users run it: arguments in, exit codes and text out.

mod demo;
mod examples;
mod killed;
mod program;
mod services;
mod unusable;
