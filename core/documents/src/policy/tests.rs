//! The policy's table, row by row, on a small invented school; then its laws.

#![allow(clippy::unwrap_used)] // also outside the test functions themselves

mod cast;
mod justifications;
mod laws;
mod office;
mod table;
