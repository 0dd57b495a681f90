//! What the device asks next.

use registro_documents::Batch;
use registro_model::DocumentId;

use super::offer::{Room, choose};
use super::outbox::OutboxEntry;
use super::{Device, DeviceError};
use crate::messages::{Cursor, MAX_PUSH_CHANGES, MAX_WANT, Request};

/// What a reply is applied against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The cursor of the request.
    pub cursor: Cursor,
    /// The documents that it wanted.
    pub want: Vec<DocumentId>,
    /// When the device's clock says it was asked, Unix milliseconds: what the reply says of the time is of then,
    /// however late it arrives.
    pub at: i64,
}

impl Device {
    /// The next request, and what its reply is to be applied against.
    pub fn request(&mut self) -> Result<(Request, Asked), DeviceError> {
        let account = self.account_or_error()?;
        let mut certificates = vec![account.certificate.clone()];
        let want: Vec<_> =
            self.headers.values().filter(|h| h.wanted).map(|h| h.identity.id).take(MAX_WANT).collect();
        let mut push: Vec<Batch> = Vec::new();
        // Nothing is pushed before the first feed and while documents are missing or commands wait to be run
        // again: what is pushed then would rest on what the hub may not have.
        let settled = self.state.started && want.is_empty() && self.state.redo.is_empty();
        if settled {
            let room = Room { changes: MAX_PUSH_CHANGES, bytes: self.page_bytes };
            let (places, waited) = choose(&self.pending, &self.waiting, self.turn, room);
            self.turn = self.turn.wrapping_add(waited);
            push =
                places.iter().filter_map(|place| self.pending.get(*place)).map(OutboxEntry::batch).collect();
        }
        if push.is_empty() {
            certificates.clear();
        }
        let request = Request {
            cursor: self.state.cursor,
            end: self.state.end,
            scope: self.state.scope,
            want: want.clone(),
            push,
            certificates,
            revoked: if self.state.offering { self.state.revoked.clone() } else { Vec::new() },
        };
        Ok((request, Asked { cursor: self.state.cursor, want, at: self.now() }))
    }

    /// Whether there is a reason to ask again at once: documents wanted, commands to push or to run again. What
    /// waits for others, or for the hub, is asked for again by the next sync.
    pub fn has_work(&self) -> bool {
        !self.state.started
            || self.headers.values().any(|header| header.wanted)
            || !self.state.redo.is_empty()
            || self.offers_news()
    }

    /// Whether there are commands that the hub has not heard of, or has not said to wait.
    pub(super) fn offers_news(&self) -> bool {
        self.pending.iter().any(|entry| !entry.is_accepted() && !self.waiting.contains(&entry.command.id))
    }
}
