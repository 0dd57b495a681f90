//! Founding: the documents that the year needs, and the facts that the hub itself writes into them, so that devices
//! know of the directory what they may know.
//!
//! | module | what |
//! |---|---|
//! | [`year_documents`] | which documents there must be |
//! | [`facts`] | a fact that the hub wants to stand under a key |
//! | [`school_facts`], [`class_facts`], [`pupil_facts`] | what the directory says, as facts |
//! | [`packing`] | facts become changes within the gate's bounds |

pub mod class_facts;
pub mod facts;
pub mod packing;
pub mod pupil_facts;
pub mod school_facts;
pub mod year_documents;

pub use facts::{HubFact, hub_facts};
