//! The hub's commands, one file each.

pub mod backup;
pub mod credentials;
pub mod federation;
pub mod import;
pub mod keys;
pub mod leavers;
pub mod office;
pub mod outbox;
pub mod restore;
pub mod serve;
pub mod sessions;
