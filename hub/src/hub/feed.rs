//! What a reply carries: wanted documents first, then the news of all readable documents in order of position.

use std::collections::BTreeSet;
use std::sync::Arc;

use registro_documents::{CertificateId, SignedChange};
use registro_model::{DocumentId, PersonId};
use registro_sync::Cursor;
use registro_sync::messages::{Ack, Entry, Listed, Reply, Request, scope_digest};
use registro_sync::notices::{Checkpoint, Refused, Restored, Revoked};
use rusqlite::params;

use super::{CachedScope, Inner};
use crate::caller::Caller;
use crate::clock::{day_in_italy, start_of_day};
use crate::documents::folding;
use crate::documents::shelf::stored_snapshot;
use crate::error::HubError;
use crate::log::RowKind;
use crate::log::read::{self, LogRow};
use crate::scope::{Readable, scope};

/// Rows of the log looked at for one reply, readable or not: what bounds the work for a device that was away long.
const MAX_SCANNED: usize = 20_000;
/// Rows read at a time.
const CHUNK: usize = 512;

/// What a caller may read, with the last position of documents that end.
struct Sight {
    readable: Arc<Readable>,
    ends: std::collections::HashMap<DocumentId, u64>,
}

impl Sight {
    fn sees(&self, document: DocumentId, position: u64) -> bool {
        self.readable.contains_key(&document) && self.ends.get(&document).is_none_or(|end| position <= *end)
    }
}

/// A reply's entries as they gather.
struct Page {
    entries: Vec<Entry>,
    bytes: usize,
    most_bytes: usize,
    certificates: BTreeSet<CertificateId>,
}

impl Page {
    fn with_room_for(most_bytes: usize) -> Self {
        Self { entries: Vec::new(), bytes: 0, most_bytes, certificates: BTreeSet::new() }
    }

    fn has_room_for(&self, bytes: usize) -> bool {
        self.entries.is_empty() || self.bytes + bytes <= self.most_bytes
    }
}

impl Inner {
    /// Makes the reply to a request that has been taken.
    pub(super) fn reply(
        &mut self,
        caller: &Caller,
        request: &Request,
        acks: Vec<Ack>,
        now: i64,
    ) -> Result<Reply, HubError> {
        let end = read::head(&self.database, self.school)?;
        let (readable, digest) = match caller.reads {
            true => self.scope_of(caller.person, now),
            // Whose right has ended hands in what was written before, and hears what became of it.
            false => (Arc::default(), scope_digest(std::iter::empty())),
        };
        let sight = self.sight(readable)?;
        let documents = match digest == request.scope {
            true => None,
            false => Some(self.listed(&sight)?),
        };
        let mut page = Page::with_room_for(self.page_bytes);
        let unserved = self.add_wanted(&sight, &request.want, end, &mut page)?;
        let is_new = request.scope == [0; 32] && request.cursor.position == 0 && request.end.position == 0;
        let (cursor, more) = if is_new {
            // A new device takes the end as its cursor and everything by want.
            self.add_revocations(&mut page)?;
            (end, false)
        } else {
            self.add_news(caller.person, &sight, request.cursor, end, &mut page)?
        };
        Ok(Reply {
            diverged: false,
            acks,
            feed: page.entries,
            cursor,
            end,
            scope: digest,
            documents,
            unserved,
            more,
            time: now,
            directory: self.version,
        })
    }

    fn scope_of(&mut self, person: PersonId, now: i64) -> (Arc<Readable>, registro_documents::Hash) {
        let day = day_in_italy(now);
        if let Some(cached) = self.scopes.get(&person).filter(|cached| cached.day == day) {
            return (Arc::clone(&cached.readable), cached.digest);
        }
        let readable =
            scope(&self.registered.directory, &self.registered.school, &self.catalogue, person, day);
        let texts: Vec<_> =
            readable.iter().map(|(id, until)| (*id, until.map(|date| date.to_string()))).collect();
        let digest = scope_digest(texts.iter().map(|(id, until)| (*id, until.as_deref())));
        let readable = Arc::new(readable);
        self.scopes.insert(person, CachedScope { day, readable: Arc::clone(&readable), digest });
        (readable, digest)
    }

    fn sight(&self, readable: Arc<Readable>) -> Result<Sight, HubError> {
        let mut ends = std::collections::HashMap::new();
        let mut by_date = std::collections::BTreeMap::new();
        for (id, until) in readable.iter() {
            let Some(date) = until else { continue };
            let end = match by_date.get(date) {
                Some(end) => *end,
                None => {
                    let next_day = date.succ_opt().map_or(i64::MAX, start_of_day);
                    let end = read::last_position_before(&self.database, self.school, next_day)?;
                    by_date.insert(*date, end);
                    end
                }
            };
            ends.insert(*id, end);
        }
        Ok(Sight { readable, ends })
    }

    fn listed(&self, sight: &Sight) -> Result<Vec<Listed>, HubError> {
        let mut listed = Vec::with_capacity(sight.readable.len());
        for (id, until) in sight.readable.iter() {
            let Some(entry) = self.catalogue.get(*id) else { continue };
            let last_position = match sight.ends.get(id) {
                Some(end) => read::last_change_up_to(&self.database, self.school, *id, *end)?,
                None => entry.last_position,
            };
            listed.push(Listed {
                identity: entry.identity.clone(),
                last_position,
                until: until.map(|date| date.to_string()),
            });
        }
        Ok(listed)
    }

    /// Snapshots with their tails, as many as fit; returns those that did not. Foreign and unknown documents are
    /// passed over in silence.
    fn add_wanted(
        &mut self,
        sight: &Sight,
        want: &[DocumentId],
        end: Cursor,
        page: &mut Page,
    ) -> Result<Vec<DocumentId>, HubError> {
        let mut unserved = Vec::new();
        let mut served = BTreeSet::new();
        for id in want {
            if !sight.readable.contains_key(id) || !served.insert(*id) {
                continue;
            }
            if !unserved.is_empty() {
                unserved.push(*id);
                continue;
            }
            let Some(entry) = self.catalogue.get(*id) else { continue };
            let up_to = sight.ends.get(id).copied().unwrap_or(end.position);
            // A snapshot younger than the reader's last day holds what they may not read.
            let snapshot = stored_snapshot(&self.database, self.school, *id)?
                .filter(|snapshot| snapshot.at.position <= up_to)
                .unwrap_or_else(|| folding::empty(&entry.identity, self.school, &self.key));
            let tail = read::changes_of(&self.database, self.school, *id, snapshot.at.position, up_to)?;
            let snapshot_size = crate::encode(&snapshot).len();
            let size = snapshot_size + tail.iter().map(|row| row.data.len() + 300).sum::<usize>();
            if !page.has_room_for(size) {
                unserved.push(*id);
                continue;
            }
            page.bytes += snapshot_size;
            page.entries.push(Entry::Snapshot(Box::new(snapshot)));
            for row in &tail {
                self.add_change(row, page)?;
            }
        }
        Ok(unserved)
    }

    /// The news after the cursor, whole batches at a time; returns the cursor after them, and whether there is more.
    fn add_news(
        &mut self,
        person: PersonId,
        sight: &Sight,
        from: Cursor,
        end: Cursor,
        page: &mut Page,
    ) -> Result<(Cursor, bool), HubError> {
        let mut scanned = 0;
        let mut at = from.position;
        let mut chain = from.chain;
        let mut pending: Vec<LogRow> = Vec::new();
        let mut last_read = from.position;
        loop {
            let rows = match last_read < end.position {
                true => read::rows_after(&self.database, self.school, last_read, CHUNK)?,
                false => Vec::new(),
            };
            let finished = rows.is_empty();
            scanned += rows.len();
            last_read = rows.last().map_or(last_read, |row| row.position);
            for row in rows {
                let new_batch = pending.first().is_some_and(|first| first.batch != row.batch);
                if new_batch {
                    if !self.add_group(person, sight, &pending, page)? {
                        return self.stopped(from, at, chain, page);
                    }
                    (at, chain) = pending.last().map_or((at, chain), |last| (last.position, last.chain));
                    pending.clear();
                }
                pending.push(row);
            }
            if finished {
                if !self.add_group(person, sight, &pending, page)? {
                    return self.stopped(from, at, chain, page);
                }
                self.add_checkpoints(from.position, end.position, page)?;
                return Ok((end, false));
            }
            if scanned >= MAX_SCANNED {
                return self.stopped(from, at, chain, page);
            }
        }
    }

    fn stopped(
        &self,
        from: Cursor,
        position: u64,
        chain: registro_documents::Hash,
        page: &mut Page,
    ) -> Result<(Cursor, bool), HubError> {
        self.add_checkpoints(from.position, position, page)?;
        Ok((Cursor { position, chain }, true))
    }

    /// Adds what the reader sees of a batch; says whether it fitted.
    fn add_group(
        &self,
        person: PersonId,
        sight: &Sight,
        group: &[LogRow],
        page: &mut Page,
    ) -> Result<bool, HubError> {
        let seen: Vec<_> = group
            .iter()
            .filter(|row| match row.kind {
                RowKind::Change => sight.sees(row.document, row.position),
                RowKind::Certificate | RowKind::Refused => row.author == person,
                RowKind::Revoked | RowKind::Restored => true,
            })
            .collect();
        let size: usize = seen.iter().map(|row| row.data.len() + 300).sum();
        if size > 0 && !page.has_room_for(size) {
            return Ok(false);
        }
        for row in seen {
            let unreadable = |_| HubError::Stored("a notice that does not decode");
            match row.kind {
                RowKind::Change => self.add_change(row, page)?,
                RowKind::Certificate => {
                    self.add_certificate(&row.hash, page)?;
                }
                RowKind::Refused => {
                    let notice = minicbor::decode::<Refused>(&row.data).map_err(unreadable)?;
                    page.bytes += row.data.len();
                    page.entries.push(Entry::Refused(notice));
                }
                RowKind::Revoked => {
                    let notice = minicbor::decode::<Revoked>(&row.data).map_err(unreadable)?;
                    page.bytes += row.data.len();
                    page.entries.push(Entry::Revoked(notice));
                }
                RowKind::Restored => {
                    let notice = minicbor::decode::<Restored>(&row.data).map_err(unreadable)?;
                    page.bytes += row.data.len();
                    page.entries.push(Entry::Restored(notice));
                }
            }
        }
        Ok(true)
    }

    /// Adds a change, after its author's certificate.
    fn add_change(&self, row: &LogRow, page: &mut Page) -> Result<(), HubError> {
        let change: SignedChange =
            minicbor::decode(&row.data).map_err(|_| HubError::Stored("a change that does not decode"))?;
        let record = row.record().ok_or(HubError::Stored("a change without standing"))?;
        self.add_certificate(&change.envelope.certificate, page)?;
        page.bytes += row.data.len() + 30;
        page.entries.push(Entry::Change { record, change });
        Ok(())
    }

    fn add_certificate(&self, id: &CertificateId, page: &mut Page) -> Result<(), HubError> {
        if page.certificates.insert(*id) {
            let certificate =
                self.certificates.get(id).ok_or(HubError::Stored("a change whose certificate is missing"))?;
            page.bytes += 200;
            page.entries.push(Entry::Certificate(certificate.clone()));
        }
        Ok(())
    }

    fn add_revocations(&self, page: &mut Page) -> Result<(), HubError> {
        let mut statement = self.database.prepare_cached(
            "SELECT log.data FROM revoked JOIN log ON log.school = revoked.school AND log.pos = revoked.pos
             WHERE revoked.school = ?1 ORDER BY log.pos",
        )?;
        let rows = statement.query_map([self.school.0], |row| row.get::<_, Vec<u8>>(0))?;
        for row in rows {
            let notice =
                minicbor::decode(&row?).map_err(|_| HubError::Stored("a notice that does not decode"))?;
            page.entries.push(Entry::Revoked(notice));
        }
        Ok(())
    }

    fn add_checkpoints(&self, after: u64, up_to: u64, page: &mut Page) -> Result<(), HubError> {
        let mut statement = self.database.prepare_cached(
            "SELECT data FROM checkpoint WHERE school = ?1 AND pos > ?2 AND pos <= ?3 ORDER BY pos DESC LIMIT 31",
        )?;
        let rows = statement
            .query_map(params![self.school.0, after, up_to], |row| row.get::<_, Vec<u8>>(0))?
            .collect::<Result<Vec<_>, _>>()?;
        for row in rows.iter().rev() {
            let checkpoint: Checkpoint =
                minicbor::decode(row).map_err(|_| HubError::Stored("a checkpoint that does not decode"))?;
            page.entries.push(Entry::Checkpoint(checkpoint));
        }
        Ok(())
    }
}
