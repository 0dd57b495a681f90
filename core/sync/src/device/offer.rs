//! Which batches go into the next push: closed under what they rest on, and so that none waits behind those that the
//! hub cannot take yet.

use std::collections::{BTreeMap, BTreeSet};

use registro_documents::Hash;
use registro_model::CommandId;

use super::outbox::OutboxEntry;

/// Most of a push.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    pub changes: usize,
    pub bytes: usize,
}

/// Bytes of an envelope, about.
const ENVELOPE_BYTES: usize = 250;

/// The places of the chosen commands, each after those that it rests on, and how many of them wait. What the hub was
/// not waiting for comes first; what is left of the room goes to those that wait, beginning with the `turn`-th of
/// them, so that each has its turn. A batch larger than the room travels alone.
pub(super) fn choose(
    pending: &[OutboxEntry],
    waiting: &BTreeSet<CommandId>,
    turn: usize,
    room: Room,
) -> (Vec<usize>, usize) {
    let graph = Graph::of(pending);
    let mut blocked = BTreeSet::new();
    for &place in &graph.order {
        let waits = pending.get(place).is_some_and(|entry| waiting.contains(&entry.command.id));
        if waits || graph.rests_on(place).any(|below| blocked.contains(&below)) {
            blocked.insert(place);
        }
    }
    let mut chosen = Chosen { places: BTreeSet::new(), room, full: false };
    for &place in graph.order.iter().filter(|place| !blocked.contains(place)) {
        chosen.add(pending, &[place]);
    }
    let queue: Vec<usize> = graph.order.iter().copied().filter(|place| blocked.contains(place)).collect();
    let turn = turn.checked_rem(queue.len()).unwrap_or(0);
    for &place in queue.iter().skip(turn).chain(queue.iter().take(turn)) {
        if chosen.full {
            break;
        }
        chosen.add(pending, &graph.closure(place, &chosen.places));
    }
    let waited = chosen.places.intersection(&blocked).count();
    (graph.order.iter().copied().filter(|place| chosen.places.contains(place)).collect(), waited)
}

struct Chosen {
    places: BTreeSet<usize>,
    room: Room,
    full: bool,
}

impl Chosen {
    /// Adds some commands together, if there is room; what comes after the first that does not fit waits for the
    /// next push.
    fn add(&mut self, pending: &[OutboxEntry], places: &[usize]) {
        let entries = places.iter().filter_map(|place| pending.get(*place));
        let changes: usize = entries.clone().map(|entry| entry.changes.len()).sum();
        let bytes: usize = entries
            .flat_map(|entry| &entry.changes)
            .map(|change| change.signed.chunk.len() + ENVELOPE_BYTES)
            .sum();
        self.full |= !self.places.is_empty() && (changes > self.room.changes || bytes > self.room.bytes);
        if !self.full {
            self.places.extend(places);
            self.room.changes = self.room.changes.saturating_sub(changes);
            self.room.bytes = self.room.bytes.saturating_sub(bytes);
        }
    }
}

/// What rests on what, among pending commands.
struct Graph {
    below: Vec<BTreeSet<usize>>,
    order: Vec<usize>,
}

impl Graph {
    fn of(pending: &[OutboxEntry]) -> Self {
        let owners: BTreeMap<Hash, usize> = pending
            .iter()
            .enumerate()
            .flat_map(|(place, entry)| entry.changes.iter().map(move |c| (c.signed.envelope.change, place)))
            .collect();
        let below: Vec<BTreeSet<usize>> = pending
            .iter()
            .enumerate()
            .map(|(place, entry)| {
                let deps = entry.changes.iter().flat_map(|change| &change.deps);
                deps.filter_map(|dep| owners.get(&dep.0).copied()).filter(|owner| *owner != place).collect()
            })
            .collect();
        let mut graph = Self { below, order: Vec::with_capacity(pending.len()) };
        let mut seen = BTreeSet::new();
        for (place, entry) in pending.iter().enumerate() {
            // What was taken over has nothing to offer.
            if !entry.changes.is_empty() {
                let after = graph.closure(place, &seen);
                seen.extend(&after);
                graph.order.extend(after);
            }
        }
        graph
    }

    fn rests_on(&self, place: usize) -> impl Iterator<Item = usize> {
        self.below.get(place).into_iter().flatten().copied()
    }

    /// A command after all that it rests on, without those that are known.
    fn closure(&self, place: usize, known: &BTreeSet<usize>) -> Vec<usize> {
        let (mut done, mut seen, mut open) = (Vec::new(), known.clone(), vec![(place, false)]);
        while let Some((place, ready)) = open.pop() {
            if ready {
                done.push(place);
            } else if seen.insert(place) {
                open.push((place, true));
                open.extend(self.rests_on(place).map(|below| (below, false)));
            }
        }
        done
    }
}

#[cfg(test)]
mod tests {
    use registro_documents::{Command, Envelope, SignedChange};
    use registro_model::{Capacity, DocumentId, SchoolId, Standing};

    use super::*;
    use crate::device::outbox::OwnChange;
    use crate::notices::HashBytes;

    /// A command with one change of some bytes that rests on others.
    fn entry(id: u8, deps: &[u8], bytes: usize) -> OutboxEntry {
        let command =
            Command { id: CommandId([id; 8]), capacity: Capacity::Lesson, claimed: 0, writes: Vec::new() };
        let mut entry = OutboxEntry::drawn(command, Standing::Office);
        let envelope = Envelope {
            school: SchoolId([0; 16]),
            document: DocumentId([0; 16]),
            change: [id; 32],
            certificate: [0; 32],
            capacity: Capacity::Lesson,
            command: CommandId([id; 8]),
            epoch: [0; 8],
            batch: [0; 32],
            directory: 0,
            signature: [0; 64],
        };
        entry.changes.push(OwnChange {
            signed: SignedChange { envelope, chunk: vec![0; bytes] },
            deps: deps.iter().map(|dep| HashBytes([*dep; 32])).collect(),
            record: None,
        });
        entry
    }

    fn chosen(pending: &[OutboxEntry], waiting: &[u8], turn: usize, changes: usize) -> Vec<usize> {
        let waiting = waiting.iter().map(|id| CommandId([*id; 8])).collect();
        choose(pending, &waiting, turn, Room { changes, bytes: 10_000 }).0
    }

    #[test]
    fn what_waits_does_not_hold_up_what_follows() {
        let pending: Vec<_> = (1..=6).map(|id| entry(id, &[], 10)).collect();
        assert_eq!(chosen(&pending, &[1, 2, 3], 0, 3), [3, 4, 5]);
        assert_eq!(chosen(&pending, &[1, 2, 3], 0, 5), [0, 1, 3, 4, 5]);
    }

    #[test]
    fn each_of_those_that_wait_has_its_turn() {
        let pending: Vec<_> = (1..=5).map(|id| entry(id, &[], 10)).collect();
        let waiting = [1, 2, 3, 4, 5];
        let (mut turn, mut offered) = (0, BTreeSet::new());
        for _ in 0..3 {
            let ids = waiting.iter().map(|id| CommandId([*id; 8])).collect();
            let (places, waited) = choose(&pending, &ids, turn, Room { changes: 2, bytes: 10_000 });
            offered.extend(places);
            turn += waited;
        }
        assert_eq!(offered.len(), 5);
    }

    #[test]
    fn a_push_is_closed_under_what_it_rests_on() {
        // The second rests on the fifth: it was run again after it.
        let pending = [
            entry(1, &[], 10),
            entry(2, &[5], 10),
            entry(3, &[1], 10),
            entry(4, &[9], 10),
            entry(5, &[], 10),
        ];
        assert_eq!(chosen(&pending, &[], 0, 5), [0, 4, 1, 2, 3]);
        assert_eq!(chosen(&pending, &[1], 0, 3), [4, 1, 3], "the third rests on what waits");
        assert_eq!(chosen(&pending, &[1, 3], 1, 5), [0, 4, 1, 2, 3]);
        assert_eq!(chosen(&pending[..3], &[1, 3, 2], 2, 2), [0, 2], "never without what it rests on");
    }

    #[test]
    fn what_is_larger_than_the_room_travels_alone() {
        let pending = [entry(1, &[], 20_000), entry(2, &[], 10), entry(3, &[], 10)];
        assert_eq!(chosen(&pending, &[], 0, 10), [0]);
        assert_eq!(chosen(&pending[1..], &[], 0, 10), [0, 1]);
    }
}
