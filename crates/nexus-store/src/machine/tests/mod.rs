//! Tests of what the machine keeps to itself.

mod change;
mod rest;
mod table;
mod table_text;
mod wire;
