//! Tests of what the machine keeps to itself.

mod change;
mod table;
mod table_text;
mod wire;
