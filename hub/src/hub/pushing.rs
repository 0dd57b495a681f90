//! A pushed batch: judged, then accepted whole, kept for the office, refused for good, or forgotten.

use registro_documents::merge::Seen;
use registro_documents::{AcceptanceRecord, Batch};
use registro_model::{PersonId, SchoolId};
use registro_sync::messages::{Ack, Outcome};
use registro_sync::notices::{Refused, Signed};
use registro_sync::{Code, Cursor};
use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::Inner;
use crate::caller::Caller;
use crate::documents::catalogue::write_last;
use crate::documents::folding;
use crate::error::HubError;
use crate::gatekeeper::judging::Bench;
use crate::gatekeeper::{Acceptable, FactName, Judgement, Verdict, memory};
use crate::log::{Appender, NewRow, RowKind, read};

/// How often a batch is judged again because another process changed the directory meanwhile.
const ATTEMPTS: usize = 3;

impl Inner {
    /// Judges a batch and does what follows; says what became of each change. What is in the log is acknowledged
    /// whatever became of the others, and of a command that is in the log with other changes its author is told so.
    pub(super) fn push(&mut self, caller: &Caller, batch: &Batch, now: i64) -> Result<Vec<Ack>, HubError> {
        let mut acks = self.judge_and_act(caller, batch, now)?;
        let to_run_again =
            |ack: &Ack| matches!(ack.outcome, Outcome::Not { code: Code::Duplicate | Code::Graph, .. });
        let accepted = match (acks.iter().any(to_run_again), batch.changes.first()) {
            (true, Some(first)) => {
                let (person, command) = (self.author_of(batch)?, first.envelope.command);
                read::command_record(&self.database, self.school, person, command)?
            }
            _ => None,
        };
        for (change, ack) in batch.changes.iter().zip(&mut acks).filter(|(_, ack)| to_run_again(ack)) {
            let envelope = &change.envelope;
            let same = read::record_of(&self.database, self.school, envelope.document, &envelope.change)?;
            match (same, accepted) {
                (Some(record), _) => ack.outcome = Outcome::Accepted(record),
                (None, Some(record)) => ack.outcome = Outcome::TakenOver(record),
                (None, None) => {}
            }
        }
        Ok(acks)
    }

    fn judge_and_act(&mut self, caller: &Caller, batch: &Batch, now: i64) -> Result<Vec<Ack>, HubError> {
        for _ in 0..ATTEMPTS {
            let judgement = Bench {
                database: &self.database,
                school: self.school,
                registered: &self.registered,
                catalogue: &self.catalogue,
                shelf: &mut self.shelf,
                certificates: &self.certificates,
                revoked: &self.revoked,
                caller,
                two_factors: self.two_factors,
                now,
            }
            .judge(batch)?;
            match judgement {
                Judgement::Known(known) => {
                    return Ok(known
                        .into_iter()
                        .map(|(hash, record)| Ack { hash, outcome: Outcome::Accepted(record) })
                        .collect());
                }
                Judgement::Remembered(said) => {
                    return Ok(said
                        .into_iter()
                        .map(|(hash, verdict)| Ack { hash, outcome: outcome(&verdict, 0) })
                        .collect());
                }
                Judgement::Not(verdict, facts) => {
                    self.turn_away(batch, &verdict, &facts, now)?;
                    return Ok(batch
                        .changes
                        .iter()
                        .enumerate()
                        .map(|(index, change)| Ack {
                            hash: change.envelope.change,
                            outcome: outcome(&verdict, index),
                        })
                        .collect());
                }
                Judgement::Acceptable(changes) => {
                    if let Some(records) = self.accept(batch, changes, now)? {
                        return Ok(batch
                            .changes
                            .iter()
                            .zip(records)
                            .map(|(change, record)| Ack {
                                hash: change.envelope.change,
                                outcome: Outcome::Accepted(record),
                            })
                            .collect());
                    }
                    self.refresh(now)?;
                }
            }
        }
        let busy = Verdict::traceless(Code::Busy, None);
        Ok(batch
            .changes
            .iter()
            .map(|change| Ack { hash: change.envelope.change, outcome: outcome(&busy, 0) })
            .collect())
    }

    /// Writes a batch at consecutive positions; `None` if the directory moved since it was judged.
    fn accept(
        &mut self,
        batch: &Batch,
        changes: Vec<Acceptable>,
        now: i64,
    ) -> Result<Option<Vec<AcceptanceRecord>>, HubError> {
        let Some(first) = batch.changes.first().map(|change| &change.envelope) else {
            return Ok(Some(Vec::new()));
        };
        let author = self.author_of(batch)?;
        let mut records = Vec::with_capacity(changes.len());
        let transaction = Transaction::new_unchecked(&self.database, TransactionBehavior::Immediate)?;
        if self.registry.version(&transaction)? != self.version {
            return Ok(None);
        }
        let mut appender = Appender::begin(&transaction, self.school)?;
        let command_position = appender.next_position();
        for (change, acceptable) in batch.changes.iter().zip(&changes) {
            let (document, hash) = (acceptable.document, change.envelope.change);
            let record = AcceptanceRecord {
                position: appender.next_position(),
                received: now,
                standing: acceptable.standing,
                seen_is_lost: states_lost_sight(&transaction, self.school, acceptable)?,
            };
            let position = appender.push(&NewRow {
                kind: RowKind::Change,
                document,
                hash,
                author,
                weight: Some(record.weight()),
                received: now,
                data: &crate::encode(change),
            })?;
            write_last(&transaction, self.school, document, position)?;
            memory::forget(&transaction, self.school, document, &hash)?;
            // A restored hub gets its own facts back from devices: it must know what stands in the document.
            if author.0 == self.school.0 {
                for (section, key, fact) in &acceptable.puts {
                    super::own_writing::note_written(
                        &transaction,
                        self.school,
                        document,
                        section,
                        key,
                        fact,
                    )?;
                }
            }
            records.push(record);
        }
        transaction
            .prepare_cached("INSERT INTO command (school, person, id, pos) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![self.school.0, author.0, first.command.0, command_position])?;
        let head = appender.finish()?;
        transaction.commit()?;
        for ((change, acceptable), record) in batch.changes.iter().zip(changes).zip(&records) {
            let Acceptable { document, mut next, .. } = acceptable;
            next.records.insert(change.envelope.change, *record);
            next.tail += 1;
            self.catalogue.note_last(document, record.position);
            let due = next.tail >= folding::FOLD_AT;
            self.shelf.put(document, next);
            if due {
                self.fold(document, head);
            }
        }
        self.checkpoint(head, now)?;
        Ok(Some(records))
    }

    /// Folds a document whose tail has grown. On failure the last sound snapshot and its tail go on serving.
    pub(super) fn fold(&mut self, document: registro_model::DocumentId, head: Cursor) {
        if let Err(error) = self.try_fold(document, head) {
            tracing::error!(document = %document, %error, "a document does not fold: the last sound snapshot serves");
        }
    }

    fn try_fold(&mut self, document: registro_model::DocumentId, head: Cursor) -> Result<(), HubError> {
        let loaded =
            self.shelf.get(&self.database, self.school, &self.catalogue, &self.certificates, document)?;
        let position = loaded.records.values().map(|record| record.position).max().unwrap_or(0);
        let at = match head.position == position {
            true => head,
            false => read::cursor_at(&self.database, self.school, position)?.unwrap_or_default(),
        };
        let snapshot = folding::fold(loaded, at, &self.certificates, self.school, &self.key)?;
        folding::store(&self.database, self.school, &snapshot)?;
        loaded.tail = 0;
        Ok(())
    }

    /// Remembers a refusal as far as it leaves a trace, keeps the batch for the office, tells its author's devices.
    fn turn_away(
        &mut self,
        batch: &Batch,
        verdict: &Verdict,
        facts: &[FactName],
        now: i64,
    ) -> Result<(), HubError> {
        if verdict.traceless {
            return Ok(());
        }
        let author = self.author_of(batch)?;
        let transaction = Transaction::new_unchecked(&self.database, TransactionBehavior::Immediate)?;
        let kept = match verdict.code.is_kept_by_hub() {
            true => Some(memory::keep(&transaction, self.school, author, now, verdict, batch, facts)?),
            false => None,
        };
        memory::remember(&transaction, self.school, batch, verdict, kept)?;
        // What its author's device only has to run again needs no notice.
        let told = kept.is_some() || matches!(verdict.code, Code::Bounds | Code::Form);
        let mut moved = None;
        if told {
            let mut appender = Appender::begin(&transaction, self.school)?;
            for (index, change) in batch.changes.iter().enumerate() {
                let envelope = &change.envelope;
                let notice = Refused {
                    position: appender.next_position(),
                    document: envelope.document,
                    change: envelope.change,
                    person: author,
                    command: envelope.command,
                    code: verdict.code,
                    reason: verdict.reason,
                    cause: verdict.is_cause(index),
                    received: now,
                    signature: [0; 64],
                }
                .signed(self.school, &self.key);
                appender.push(&NewRow {
                    kind: RowKind::Refused,
                    document: envelope.document,
                    hash: envelope.change,
                    author,
                    weight: None,
                    received: now,
                    data: &crate::encode(&notice),
                })?;
            }
            moved = Some(appender.finish()?);
        }
        transaction.commit()?;
        if let Some(head) = moved {
            self.checkpoint(head, now)?;
        }
        Ok(())
    }

    fn author_of(&self, batch: &Batch) -> Result<PersonId, HubError> {
        batch
            .changes
            .first()
            .and_then(|change| self.certificates.get(&change.envelope.certificate))
            .map(|certificate| certificate.person)
            .ok_or(HubError::Unknown("certificate"))
    }
}

/// Whether a roll of the change states as seen what is not of this log: its author's device was in step with a hub
/// that has been restored since.
fn states_lost_sight(database: &Connection, school: SchoolId, change: &Acceptable) -> Result<bool, HubError> {
    for (_, _, fact) in change.puts.iter().filter(|(section, ..)| section == "rolls") {
        let Some(seen) = Seen::of(fact) else { continue };
        let ours = read::cursor_at(database, school, seen.position)?;
        if ours.is_none_or(|ours| ours.chain != *seen.chain) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn outcome(verdict: &Verdict, index: usize) -> Outcome {
    Outcome::Not { code: verdict.code, reason: verdict.reason, cause: verdict.is_cause(index) }
}
