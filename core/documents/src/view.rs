//! Views: the decided facts of a document, ready to read, cut into parts so that a screen reads what it shows.

use std::collections::{BTreeMap, BTreeSet};

use minicbor::{Decode, Encode};

use crate::document::Document;
use crate::merge::{KeyDecision, Origins, Shown, decide_key};

/// A part of a document's view: decided keys of a section, or of a section's month.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(array)]
pub struct ViewPart {
    /// Decided keys.
    #[n(0)]
    pub keys: BTreeMap<String, KeyDecision>,
}

impl ViewPart {
    /// The part as it is stored.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        if minicbor::encode(self, &mut bytes).is_err() {
            unreachable!("writing into a vector does not fail");
        }
        bytes
    }
}

/// The name of the part in which a key stands: the section, with the month for sections whose keys begin with a
/// date.
pub fn part_of(section: &str, key: &str) -> String {
    match section {
        "attendance" | "rolls" | "lessons" | "topics" | "homework" | "agenda" | "notes" => {
            let month = key.get(..7).filter(|m| m.bytes().filter(|b| *b == b'-').count() == 1);
            match month {
                Some(month) => format!("{section}/{month}"),
                None => section.to_owned(),
            }
        }
        _ => section.to_owned(),
    }
}

/// Decides one key of a document.
pub fn decide(document: &Document, section: &str, key: &str, origins: &dyn Origins) -> Option<KeyDecision> {
    let values = document
        .versions(section, key)
        .into_iter()
        .map(|version| Shown::new(document, version, origins))
        .collect();
    decide_key(section, key, values)
}

/// The whole view of a document, by part.
pub fn view(document: &Document, origins: &dyn Origins) -> BTreeMap<String, ViewPart> {
    let mut parts: BTreeMap<String, ViewPart> = BTreeMap::new();
    for section in document.kind().sections() {
        for key in document.keys(section) {
            if let Some(decision) = decide(document, section, &key, origins) {
                parts.entry(part_of(section, &key)).or_default().keys.insert(key, decision);
            }
        }
    }
    parts
}

/// Brings parts up to date after some keys changed. Parts of those keys must be given if they exist.
pub fn refresh(
    document: &Document,
    origins: &dyn Origins,
    changed: &BTreeSet<(String, String)>,
    parts: &mut BTreeMap<String, ViewPart>,
) {
    for (section, key) in changed {
        let part = parts.entry(part_of(section, key)).or_default();
        match decide(document, section, key, origins) {
            Some(decision) => {
                part.keys.insert(key.clone(), decision);
            }
            None => {
                part.keys.remove(key);
            }
        }
    }
}
