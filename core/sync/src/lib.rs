//! Sync between a device and the school's hub: wire messages, the device's state machine, HTTP transport.
//!
//! One request does it all (`POST /v1/sync`): it pushes what the hub has not confirmed, and pulls what the caller
//! may read. Every retry is harmless.
//!
//! | module | what |
//! |---|---|
//! | [`messages`] | what goes over the wire, with its limits |
//! | `device` | the state machine of a tablet or phone, and the views that an app reads |
//! | `http` | the transport |
//! | [`notices`] | what the school signs: snapshots, refusals, revocations, restores, checkpoints |

#[cfg(feature = "device")]
pub mod device;
#[cfg(feature = "http")]
pub mod http;
pub mod messages;
pub mod notices;
pub mod wire;

pub use messages::{Ack, Code, Cursor, Entry, Listed, Outcome, Reply, Request};
