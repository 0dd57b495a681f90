//! Facts that the hub wants to stand.

use std::collections::BTreeMap;

use registro_documents::bytes::sha256;
use registro_documents::{Fact, Hash};
use registro_model::time::Span;
use registro_model::{Capacity, CommandId, DocumentId};

use super::{class_facts, pupil_facts, school_facts};
use crate::documents::Catalogue;
use crate::registry::Registered;

/// A fact that the hub wants to stand under a key. Its version is filled in when it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubFact {
    /// The section.
    pub section: &'static str,
    /// The key.
    pub key: String,
    /// The fact.
    pub fact: Fact,
}

/// Facts of one document by section and key; a later one under the same key takes the place of an earlier.
#[derive(Debug, Clone, Default)]
pub struct Wanted(BTreeMap<(&'static str, String), Fact>);

impl Wanted {
    /// Adds a fact.
    pub fn put(&mut self, section: &'static str, key: impl Into<String>, fact: Fact) {
        self.0.insert((section, key.into()), fact);
    }

    /// A fact already wanted under the key.
    pub fn get(&self, section: &'static str, key: &str) -> Option<&Fact> {
        self.0.get(&(section, key.to_owned()))
    }

    /// All of them in order.
    pub fn into_facts(self) -> Vec<HubFact> {
        self.0.into_iter().map(|((section, key), fact)| HubFact { section, key, fact }).collect()
    }
}

/// A fact of the school without fields.
pub(super) fn fact() -> Fact {
    Fact::new(CommandId([0; 8]), Capacity::School)
}

/// The end of a span as a field.
pub(super) fn until(fact: Fact, span: Span) -> Fact {
    fact.with_some("to", span.to)
}

/// Digest of a fact without its version: what is compared to see whether the hub must write.
pub fn digest(fact: &Fact) -> Hash {
    let mut plain = fact.clone();
    plain.v = CommandId([0; 8]);
    plain.fields.remove(registro_documents::fact::RESOLVES);
    sha256(&crate::encode(&plain))
}

/// Everything that the directory says, by document.
pub fn hub_facts(registered: &Registered, catalogue: &Catalogue) -> BTreeMap<DocumentId, Vec<HubFact>> {
    let mut all = BTreeMap::new();
    school_facts::add(registered, catalogue, &mut all);
    class_facts::add(registered, catalogue, &mut all);
    pupil_facts::add(registered, catalogue, &mut all);
    all
}
