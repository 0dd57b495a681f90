//! The hub's commands, one file each.

pub mod backup;
pub mod import;
pub mod restore;
pub mod serve;
