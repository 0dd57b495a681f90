//! Giving a command: a user's act becomes signed changes, in one local transaction.

use std::collections::BTreeMap;

use registro_documents::envelope::batch_digest;
use registro_documents::gate;
use registro_documents::merge::Origins;
use registro_documents::policy::{self, Answer, Question, Reason, Replaced};
use registro_documents::write::{MAX_HEADS, Put, versions_of, write};
use registro_documents::{Command, Envelope, Epoch, Fact, SignedChange, Write};
use registro_model::{Capacity, CommandId, DocumentId, Standing};

use super::held::automerge_hash;
use super::outbox::{OutboxEntry, OwnChange};
use super::state::StoreOp;
use super::{Device, DeviceError};
use crate::notices::HashBytes;

/// A fact to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftWrite {
    /// The document.
    pub document: DocumentId,
    /// The section.
    pub section: &'static str,
    /// The key.
    pub key: String,
    /// The fact; its version is the command's id.
    pub fact: Fact,
}

/// A user's act, drawn whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Its id, from [`Device::draw_command`].
    pub id: CommandId,
    /// The capacity in which it is given.
    pub capacity: Capacity,
    /// What it writes.
    pub writes: Vec<DraftWrite>,
}

/// A change made but not stored yet.
pub(super) struct Made {
    pub document: DocumentId,
    pub epoch: Epoch,
    pub chunk: Vec<u8>,
    pub hash: [u8; 32],
    pub deps: Vec<HashBytes>,
}

impl Device {
    /// What this device's own policy says of a draft: allowed, refused with a reason, or in doubt. The first
    /// refusal counts; a doubt is no obstacle, because the hub knows more.
    pub fn judge(&mut self, draft: &Draft) -> Result<Answer, DeviceError> {
        let mut doubt = false;
        for write in &draft.writes {
            match self.question(draft.capacity, write, policy::judge)? {
                Answer::Allowed => {}
                Answer::CannotTell => doubt = true,
                Answer::Refused(reason) => return Ok(Answer::Refused(reason)),
            }
        }
        Ok(if doubt { Answer::CannotTell } else { Answer::Allowed })
    }

    fn question<T>(
        &mut self,
        capacity: Capacity,
        write: &DraftWrite,
        ask: impl FnOnce(&Question<'_>) -> T,
    ) -> Result<T, DeviceError> {
        let account = self.account_or_error()?;
        let (school_id, author) = (account.school, account.person);
        self.load_directory()?;
        let held = self.hold(write.document)?;
        let replaced: Vec<_> = held
            .document()
            .versions(write.section, &write.key)
            .into_iter()
            .map(|version| {
                let author = Origins::author(held, &version.op.actor).map(|author| author.0);
                (version.fact, author)
            })
            .collect();
        let replaced: Vec<Replaced<'_>> =
            replaced.iter().map(|(fact, author)| Replaced { fact, author: *author }).collect();
        let identity = self.identity(write.document)?;
        let (directory, school) = self.directory.as_ref().ok_or(DeviceError::NoAccount)?;
        Ok(ask(&Question {
            school_id,
            school,
            directory,
            document: &identity,
            author,
            capacity,
            section: write.section,
            key: &write.key,
            fact: &write.fact,
            replaced: &replaced,
            latest: None,
        }))
    }

    /// Writes a command: one signed change per document, the outbox, the views, in one transaction. What the
    /// person wrote is durable when this returns.
    pub fn give(&mut self, draft: Draft) -> Result<CommandId, DeviceError> {
        // A failure in the middle leaves nothing: the documents in memory are read again from the store.
        let given = self.give_whole(draft).inspect_err(|_| self.cache.clear());
        self.cache.trim();
        given
    }

    fn give_whole(&mut self, draft: Draft) -> Result<CommandId, DeviceError> {
        let standing = self.standing_of(&draft)?;
        let mut writes = Vec::with_capacity(draft.writes.len());
        for write in &draft.writes {
            let saw = versions_of(&self.hold(write.document)?.document().versions(write.section, &write.key));
            writes.push(Write {
                document: write.document,
                section: write.section.to_owned(),
                key: write.key.clone(),
                fact: write.fact.clone(),
                saw,
            });
        }
        let command =
            Command { id: draft.id, capacity: draft.capacity, claimed: self.now().div_euclid(1000), writes };
        let mut made = Vec::new();
        for document in command.documents() {
            let puts = puts_of(&command, document);
            made.push(self.make(document, command.claimed, &puts, None, None)?);
        }
        let (entry, ops) = self.sign_and_put(OutboxEntry::drawn(command, standing), made)?;
        self.commit(ops)?;
        let id = entry.command.id;
        self.pending.push(entry);
        Ok(id)
    }

    /// The weight that this device's directory gives to a draft.
    fn standing_of(&mut self, draft: &Draft) -> Result<Standing, DeviceError> {
        let mut standings = Vec::with_capacity(draft.writes.len());
        for write in &draft.writes {
            let standing = self.question(draft.capacity, write, policy::standing)?;
            standings.push((write.fact.is_annulled(), standing));
        }
        Ok(policy::standing_of_change(standings).unwrap_or(Standing::Office))
    }

    /// Makes a change, on the given heads or all current ones, under the document's epoch or one of its own.
    pub(super) fn make(
        &mut self,
        document: DocumentId,
        claimed: i64,
        puts: &[Put],
        heads: Option<&[[u8; 32]]>,
        own_epoch: Option<Epoch>,
    ) -> Result<Made, DeviceError> {
        let epoch = match own_epoch {
            Some(epoch) => epoch,
            None => self.epoch(document)?,
        };
        let account = self.account_or_error()?;
        let actor = account.certificate.actor(document, epoch);
        let selected = match heads {
            Some(heads) => Some(heads.iter().copied().map(automerge_hash).collect::<Vec<_>>()),
            None => self.select_heads(document, &actor, puts)?,
        };
        let held = self.hold(document)?;
        let written = write(held.document(), actor, selected.as_deref(), claimed, puts)?;
        Ok(Made {
            document,
            epoch,
            chunk: written.chunk,
            hash: written.hash.0,
            deps: written.deps.iter().map(|dep| HashBytes(dep.0)).collect(),
        })
    }

    /// All heads, or at most 32 of them: this device's own, those that hold the keys it writes, then the newest.
    fn select_heads(
        &mut self,
        document: DocumentId,
        actor: &[u8; 16],
        puts: &[Put],
    ) -> Result<Option<Vec<registro_documents::ChangeHash>>, DeviceError> {
        let document = self.hold(document)?.document();
        let heads = document.heads();
        if heads.len() <= MAX_HEADS {
            return Ok(None);
        }
        let needed: Vec<_> = document
            .last_of(actor)
            .map(|info| info.hash)
            .into_iter()
            .chain(puts.iter().flat_map(|put| document.versions(&put.section, &put.key)).map(|v| v.change))
            .collect();
        let mut ranked: Vec<_> = heads
            .into_iter()
            .map(|head| {
                let holds = needed.iter().any(|hash| document.is_ancestor(hash, &[head]));
                let max_op = document.change_info(&head).map_or(0, |info| info.max_op);
                (std::cmp::Reverse((holds, max_op)), head)
            })
            .collect();
        ranked.sort_unstable_by_key(|(rank, _)| *rank);
        Ok(Some(ranked.into_iter().take(MAX_HEADS).map(|(_, head)| head).collect()))
    }

    /// Signs the changes of a command as one batch and puts them on the documents in memory. The caller stores.
    pub(super) fn sign_and_put(
        &mut self,
        mut entry: OutboxEntry,
        made: Vec<Made>,
    ) -> Result<(OutboxEntry, Vec<StoreOp>), DeviceError> {
        let command = &entry.command;
        let salt: [u8; 16] = self.draw();
        let items: Vec<_> = made.iter().map(|m| (m.document, m.hash)).collect();
        let digest = batch_digest(&salt, &items);
        let directory = self.state.directory;
        let account = self.account_or_error()?;
        let key = self.key.as_ref().ok_or(DeviceError::NoAccount)?;
        let author = (account.person, account.certificate.id());
        let changes: Vec<OwnChange> = made
            .into_iter()
            .map(|m| OwnChange {
                signed: SignedChange {
                    envelope: Envelope {
                        school: account.school,
                        document: m.document,
                        change: m.hash,
                        certificate: author.1,
                        capacity: command.capacity,
                        command: command.id,
                        epoch: m.epoch,
                        batch: digest,
                        directory,
                        signature: [0; 64],
                    }
                    .signed(key),
                    chunk: m.chunk,
                },
                deps: m.deps,
                record: None,
            })
            .collect();
        let mut ops = Vec::new();
        let mut changed: BTreeMap<DocumentId, _> = BTreeMap::new();
        for change in &changes {
            let document = change.signed.envelope.document;
            let held = self.hold(document)?;
            let keys = held
                .put_own(&change.signed, entry.standing, author)
                .map_err(|refusal: gate::Refusal| DeviceError::OwnChange(refusal.reason))?;
            changed.insert(document, keys);
        }
        for (document, keys) in changed {
            if self.headers.contains_key(&document) {
                ops.extend(self.refresh_ops(document, &keys)?);
            }
            ops.push(self.header_op(document));
        }
        entry.salt = salt;
        entry.changes = changes;
        ops.push(entry.store_op());
        Ok((entry, ops))
    }

    /// Why a draft is refused here, if it is.
    pub fn refusal(&mut self, draft: &Draft) -> Result<Option<Reason>, DeviceError> {
        Ok(match self.judge(draft)? {
            Answer::Refused(reason) => Some(reason),
            Answer::Allowed | Answer::CannotTell => None,
        })
    }
}

pub(super) fn puts_of(command: &Command, document: DocumentId) -> Vec<Put> {
    command
        .writes_in(document)
        .map(|write| Put { section: write.section.clone(), key: write.key.clone(), fact: write.fact.clone() })
        .collect()
}
