//! Concurrent values of one key.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use minicbor::{Decode, Encode};
use registro_model::Standing;

use super::Shown;
use crate::fact::{Field, RESOLVES};

/// What is decided about one key: the value that shows, and the live ones beside it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct KeyDecision {
    /// The value that shows. It may be annulled: then nothing live is there.
    #[n(0)]
    pub shown: Shown,
    /// Every other concurrent value, strongest first.
    #[n(1)]
    pub others: Vec<Shown>,
    /// Two or more live values differ: reported until a resolution supersedes all of them.
    #[n(2)]
    pub conflict: bool,
}

impl KeyDecision {
    /// The value that shows, if it is live.
    pub fn live(&self) -> Option<&Shown> {
        (!self.shown.fact.is_annulled()).then_some(&self.shown)
    }

    /// All live values, strongest first.
    pub fn live_values(&self) -> impl Iterator<Item = &Shown> {
        std::iter::once(&self.shown).chain(&self.others).filter(|shown| !shown.fact.is_annulled())
    }
}

/// Strength of a value, compared field by field; greater wins.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Strength {
    counts: bool,
    live: bool,
    standing: Standing,
    resolution: bool,
    earlier_entry: Reverse<u16>,
    later_exit: u16,
    accepted: bool,
    lower_position: Reverse<u64>,
    lower_hash: Reverse<[u8; 32]>,
}

fn strength(key: &str, shown: &Shown) -> Strength {
    let minutes = |field: &str| shown.fact.time(field).map(registro_model::ClockTime::minutes);
    // Day mode keeps entry and exit under keys of their own, with `time`; slot mode in fields of the slot's fact.
    let entry = if key.ends_with("/entry") { minutes("time") } else { minutes("entry") };
    let exit = if key.ends_with("/exit") { minutes("time") } else { minutes("exit") };
    Strength {
        counts: shown.provenance.counts,
        live: !shown.fact.is_annulled(),
        standing: shown.provenance.standing,
        resolution: shown.fact.resolves().is_some(),
        earlier_entry: Reverse(entry.unwrap_or(u16::MAX)),
        later_exit: exit.unwrap_or(0),
        accepted: shown.provenance.accepted.is_some(),
        lower_position: Reverse(shown.provenance.accepted.map_or(u64::MAX, |record| record.position)),
        lower_hash: Reverse(shown.provenance.change),
    }
}

/// What a fact says, without who says it: two values that differ in nothing else are no conflict.
fn content(shown: &Shown) -> BTreeMap<&str, &Field> {
    let aside = |name: &str| name == "slot" || name == "settles" || name == RESOLVES;
    shown
        .fact
        .fields
        .iter()
        .filter(|(name, _)| !aside(name))
        .map(|(name, field)| (name.as_str(), field))
        .collect()
}

/// Decides between the concurrent values of a key. `None` if there are none.
pub fn decide_key(section: &str, key: &str, mut values: Vec<Shown>) -> Option<KeyDecision> {
    values.sort_by_cached_key(|shown| Reverse(strength(key, shown)));
    // Values equal in all fields are one fact.
    let mut kept: Vec<Shown> = Vec::with_capacity(values.len());
    for value in values {
        if !kept.iter().any(|k| k.fact == value.fact) {
            kept.push(value);
        }
    }
    let mut values = kept.into_iter();
    let shown = values.next()?;
    let others: Vec<Shown> = values.collect();
    let mut decision = KeyDecision { shown, others, conflict: false };
    // Also live values that an annulled one hides, because it counts and they do not yet.
    decision.conflict = section != "rolls" && {
        let mut live = decision.live_values().map(content);
        live.next().is_some_and(|first| live.any(|other| other != first))
    };
    Some(decision)
}
