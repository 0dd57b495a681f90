//! The register as an app uses it: open, log in, call the roll offline, sync, observe.
//!
//! [`Registro`] is one person's register on this device. From it come one object per role: [`Teacher`],
//! [`Family`], [`Office`], each a page of methods that read like the register. Reads answer from views and never
//! wait for the network; writes are durable when they return and are sent when there is a connection. Everything
//! written carries its [`DeliveryState`], everything shown its [`Provenance`].
//!
//! | module | what |
//! |---|---|
//! | [`registro`] | open, sync, suspend, events |
//! | [`login`] | log in and out, sessions |
//! | [`blocked`] | a PIN that was tried too often |
//! | [`teacher`], [`family`], [`office`] | what each role sees and does |
//! | [`delivery`] | what became of what was written |
//! | [`error`] | why something could not be done: a stable kind, a sentence, the next step |

mod attendance;
pub mod blocked;
pub mod delivery;
mod environment;
pub mod error;
mod events;
pub mod family;
mod hours;
mod lease;
pub mod login;
pub mod office;
mod provenance;
mod read;
mod record;
pub mod registro;
mod rolls;
mod says;
mod scoped_secrets;
pub mod teacher;

pub use attendance::{OutView, PupilDay, ShownFact, SlotView};
pub use blocked::BlockedStore;
pub use delivery::{About, DeliveryState, Written, WrittenFact};
pub use environment::SystemEnvironment;
pub use error::{Error, ErrorKind, NextStep};
pub use events::{Event, Mended};
pub use family::Family;
pub use login::{DeviceSession, LoginRequest, LoginSetup, LogoutReport, Profile, SessionView};
pub use office::Office;
pub use provenance::Provenance;
pub use registro::{OpenOptions, Registro, SyncReport};
pub use registro_identity as identity;
pub use registro_store::{Pin, PinError};
pub use registro_sync::device::Environment;
pub use says::Says;
pub use teacher::Teacher;
