//! What remains of a command after the hub refused some of its items: a command of its own that writes the rest.
//! Both are shown to their author: what was refused, and what was written instead.

use std::collections::BTreeMap;

use registro_documents::Command;
use registro_model::CommandId;

use super::outbox::OutboxEntry;
use super::{Device, DeviceError};

impl Device {
    /// The command that writes what a refused one would have written besides its refused items; `None` if nothing
    /// remains, or if it was drawn before. Its changes are made when it is run, on what the refused one's rested on.
    ///
    /// Keys are kept: if the office admits the refused batch after all, the same facts stand under the same keys,
    /// and what is equal in all fields is no conflict.
    pub(super) fn remainder_of(&mut self, refused: &OutboxEntry) -> Result<Option<OutboxEntry>, DeviceError> {
        let Some(refusal) = refused.refusal() else { return Ok(None) };
        let command = &refused.command;
        let mut writes: Vec<_> = command
            .writes
            .iter()
            .filter(|write| !refusal.causes.contains(&write.document))
            .cloned()
            .collect();
        if refusal.causes.is_empty() || writes.is_empty() || self.has_remainder(command.id)? {
            return Ok(None);
        }
        let id = self.draw_command();
        for write in &mut writes {
            write.fact.v = id;
        }
        let remaining = Command { id, capacity: command.capacity, claimed: command.claimed, writes };
        let mut entry = OutboxEntry::drawn(remaining, refused.standing);
        entry.instead_of = Some(command.id);
        Ok(Some(entry))
    }

    fn has_remainder(&self, refused: CommandId) -> Result<bool, DeviceError> {
        let of_it = |entry: &OutboxEntry| entry.instead_of == Some(refused);
        Ok(self.pending.iter().any(of_it) || self.commands()?.iter().any(of_it))
    }

    /// Puts pending commands into the order in which they were given: what remains of a command stands in its place.
    pub(super) fn order_pending(&mut self) -> Result<(), DeviceError> {
        let all = self.commands()?;
        let places: BTreeMap<CommandId, (usize, Option<CommandId>)> = all
            .iter()
            .enumerate()
            .map(|(place, entry)| (entry.command.id, (place, entry.instead_of)))
            .collect();
        let place_of = |entry: &OutboxEntry| {
            let mut place = places.get(&entry.command.id).map_or(usize::MAX, |known| known.0);
            let mut before = entry.instead_of;
            // A remainder is drawn after what it stands for, so its place only falls.
            while let Some((earlier, next)) = before.and_then(|id| places.get(&id)).copied()
                && earlier < place
            {
                place = earlier;
                before = next;
            }
            place
        };
        self.pending.sort_by_cached_key(place_of);
        Ok(())
    }
}
