//! What became of changes that left the graph, so that what rested on them finds its place, and of commands that
//! were run again in part, so that what saw them still sees them.

use std::collections::{BTreeMap, BTreeSet};

use registro_documents::Hash;
use registro_model::{CommandId, DocumentId};

use super::outbox::{OutboxEntry, OwnChange};

/// Own changes that are not in the graph any more, and own commands that have a remainder.
#[derive(Debug, Default)]
pub(super) struct Past {
    places: BTreeMap<Hash, Place>,
    origins: BTreeMap<(CommandId, DocumentId), Origin>,
    remainders: BTreeMap<CommandId, CommandId>,
}

/// Where a change that left the graph stood, and what it became.
#[derive(Debug, Default)]
struct Place {
    deps: Vec<Hash>,
    now: Option<Hash>,
}

/// The change that a command is run again for, in one document.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    pub change: Hash,
    pub deps: Vec<Hash>,
}

impl Origin {
    fn of(own: &OwnChange) -> Self {
        let deps = own.deps.iter().map(|dep| dep.0).collect();
        Self { change: own.signed.envelope.change, deps }
    }
}

impl Past {
    /// The past of all commands of this device.
    pub fn of(commands: Vec<OutboxEntry>) -> Self {
        let mut past = Self::default();
        for entry in commands.iter().filter(|entry| entry.refusal().is_some()) {
            for own in &entry.changes {
                past.left(own);
                past.origins.insert((entry.command.id, own.signed.envelope.document), Origin::of(own));
            }
        }
        for entry in &commands {
            let Some(refused) = entry.instead_of else { continue };
            past.remainders.insert(refused, entry.command.id);
            for own in &entry.changes {
                let envelope = &own.signed.envelope;
                if let Some(origin) = past.origins.get(&(refused, envelope.document)) {
                    let change = origin.change;
                    past.became(change, envelope.change);
                }
            }
        }
        past
    }

    /// Notes a change that leaves the graph.
    pub fn left(&mut self, own: &OwnChange) {
        let Origin { change, deps } = Origin::of(own);
        self.places.entry(change).or_default().deps = deps;
    }

    /// Notes what a change that left the graph became.
    pub fn became(&mut self, old: Hash, new: Hash) {
        if old != new {
            self.places.entry(old).or_default().now = Some(new);
        }
    }

    /// The change that a command is run again for: its own, or that of the refused command of which it remains.
    pub fn origin(&self, entry: &OutboxEntry, document: DocumentId) -> Option<Origin> {
        match entry.change_in(document) {
            Some(own) => Some(Origin::of(own)),
            None => self.origins.get(&(entry.instead_of?, document)).cloned(),
        }
    }

    /// Versions that an author saw, under the names that they have now; sorted.
    pub fn renamed(&self, saw: &[CommandId]) -> Vec<CommandId> {
        let mut now: Vec<_> = saw
            .iter()
            .map(|v| {
                let mut v = *v;
                // A remainder of a remainder: each was drawn after the one before.
                for _ in 0..=self.remainders.len() {
                    match self.remainders.get(&v) {
                        Some(next) => v = *next,
                        None => break,
                    }
                }
                v
            })
            .collect();
        now.sort_unstable();
        now
    }

    /// What a dependency is in the rebuilt document: itself, what it became, or what it rested on. Unknown ones (of a
    /// hub that was restored) fall away.
    pub fn resolve(&self, hash: Hash, contains: &dyn Fn(Hash) -> bool, heads: &mut BTreeSet<Hash>) {
        let mut open = vec![hash];
        let mut seen = BTreeSet::new();
        while let Some(hash) = open.pop() {
            if !seen.insert(hash) {
                continue;
            }
            if contains(hash) {
                heads.insert(hash);
                continue;
            }
            let Some(place) = self.places.get(&hash) else { continue };
            match place.now {
                // What it became may itself have left.
                Some(now) if contains(now) || self.places.contains_key(&now) => open.push(now),
                _ => open.extend(place.deps.iter().copied()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(past: &Past, hash: u8, held: &[u8]) -> Vec<u8> {
        let mut heads = BTreeSet::new();
        past.resolve([hash; 32], &|hash| held.contains(&hash[0]), &mut heads);
        heads.into_iter().map(|head| head[0]).collect()
    }

    fn past(places: &[(u8, &[u8], Option<u8>)]) -> Past {
        let mut past = Past::default();
        for (hash, deps, now) in places {
            let place =
                Place { deps: deps.iter().map(|dep| [*dep; 32]).collect(), now: now.map(|n| [n; 32]) };
            past.places.insert([*hash; 32], place);
        }
        past
    }

    #[test]
    fn a_dependency_is_itself_what_it_became_or_what_it_rested_on() {
        let past = past(&[(1, &[7], Some(2)), (3, &[1, 8], None), (4, &[9], None)]);
        assert_eq!(resolved(&past, 7, &[7]), [7]);
        assert_eq!(resolved(&past, 3, &[2, 8]), [2, 8], "through what its dependency became");
        assert_eq!(resolved(&past, 3, &[7]), [7], "what became of it is not here: what it rested on is");
        assert_eq!(resolved(&past, 4, &[7]), [] as [u8; 0], "unknown ones fall away");
    }

    #[test]
    fn what_it_became_may_have_become_something_else() {
        let past = past(&[(1, &[7], Some(2)), (2, &[7], Some(3))]);
        assert_eq!(resolved(&past, 1, &[3, 7]), [3]);
    }

    #[test]
    fn what_was_seen_has_the_name_of_the_last_remainder() {
        let mut past = Past::default();
        past.remainders.insert(CommandId([1; 8]), CommandId([2; 8]));
        past.remainders.insert(CommandId([2; 8]), CommandId([0; 8]));
        assert_eq!(
            past.renamed(&[CommandId([1; 8]), CommandId([5; 8])]),
            [CommandId([0; 8]), CommandId([5; 8])]
        );
    }
}
