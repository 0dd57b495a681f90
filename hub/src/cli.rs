//! The hub's commands, one file each.

pub mod import;
