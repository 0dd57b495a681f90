//! The school's documents at the hub: which there are, and those in memory.
//!
//! | module | what |
//! |---|---|
//! | [`catalogue`] | every document's identity and last position |
//! | [`loaded`] | a document in memory with its records and authors |
//! | [`shelf`] | the bounded set of loaded documents, rebuilt from snapshot and tail |
//! | [`folding`] | snapshots |

pub mod catalogue;
pub mod folding;
pub mod loaded;
pub mod shelf;

pub use catalogue::Catalogue;
pub use loaded::Loaded;
pub use shelf::Shelf;
