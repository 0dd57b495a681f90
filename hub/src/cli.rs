//! The hub's commands, one file each.

pub mod backup;
pub mod federation;
pub mod import;
pub mod restore;
pub mod serve;
