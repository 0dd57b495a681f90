//! The steps in order: envelope, what is known, certificate, gate, policy, office.

use chrono::Days;
use registro_documents::gate::{self, Expectation, Put};
use registro_documents::policy::{self, Answer, Question, Reason, Replaced};
use registro_documents::{Batch, Certificate, CertificateId, Kind};
use registro_model::{PersonId, SchoolId, Standing};
use registro_sync::Code;
use rusqlite::Connection;
use std::collections::HashMap;

use super::envelope_check::{self, ChunkHead};
use super::{Acceptable, FactName, Judgement, Verdict, memory};
use crate::caller::{Caller, Level};
use crate::clock::day_in_italy;
use crate::documents::loaded::Certificates;
use crate::documents::{Catalogue, Loaded, Shelf};
use crate::error::HubError;
use crate::log::read;
use crate::registry::Registered;

/// Says of a section whether what is written there needs a session with two factors.
pub type LevelRule = fn(Kind, &str) -> bool;

/// What judging a batch needs.
pub struct Bench<'a> {
    /// The database.
    pub database: &'a Connection,
    /// The school.
    pub school: SchoolId,
    /// Calendar, settings, directory.
    pub registered: &'a Registered,
    /// All documents.
    pub catalogue: &'a Catalogue,
    /// Documents in memory.
    pub shelf: &'a mut Shelf,
    /// All certificates.
    pub certificates: &'a Certificates,
    /// Revoked devices.
    pub revoked: &'a HashMap<CertificateId, i64>,
    /// Who brings the batch; not always its author.
    pub caller: &'a Caller,
    /// What may only be written in a session with two factors.
    pub two_factors: LevelRule,
    /// When the batch was received, Unix milliseconds.
    pub now: i64,
}

struct Gated {
    loaded: Loaded,
    puts: Vec<Put>,
}

impl Bench<'_> {
    /// Judges a batch. Nothing is written.
    pub fn judge(&mut self, batch: &Batch) -> Result<Judgement, HubError> {
        let certificate = match envelope_check::check(batch, self.school, self.certificates) {
            Ok(certificate) => certificate,
            Err(verdict) => return Ok(Judgement::Not(verdict, Vec::new())),
        };
        let mut known = Vec::new();
        let mut remembered = Vec::new();
        for change in &batch.changes {
            let envelope = &change.envelope;
            if let Some(record) =
                read::record_of(self.database, self.school, envelope.document, &envelope.change)?
            {
                known.push((envelope.change, record));
            } else if let Some(verdict) =
                memory::recall(self.database, self.school, envelope.document, &envelope.change)?
            {
                remembered.push((envelope.change, verdict));
            }
        }
        if known.len() == batch.changes.len() {
            return Ok(Judgement::Known(known));
        }
        if let Some((_, first)) = remembered.first() {
            let mate = Verdict { causes: Some(Vec::new()), ..first.clone() };
            let all = batch.changes.iter().map(|change| {
                let hash = change.envelope.change;
                let verdict = remembered.iter().find(|(known, _)| *known == hash);
                (hash, verdict.map_or_else(|| mate.clone(), |(_, verdict)| verdict.clone()))
            });
            return Ok(Judgement::Remembered(all.collect()));
        }
        if self.is_revoked(certificate) {
            return Ok(Judgement::Not(Verdict::kept(Code::Refused, Reason::Revoked, None), Vec::new()));
        }
        if !certificate.is_valid_at(self.now.div_euclid(1_000)) {
            return Ok(Judgement::Not(Verdict::traceless(Code::Certificate, None), Vec::new()));
        }
        let command = batch.changes.first().map(|change| change.envelope.command);
        if let Some(command) = command
            && read::command_position(self.database, self.school, certificate.person, command)?.is_some()
        {
            return Ok(Judgement::Not(Verdict::final_code(Code::Duplicate, None), Vec::new()));
        }
        let mut gated = Vec::with_capacity(batch.changes.len());
        for index in 0..batch.changes.len() {
            match self.pass_gate(batch, index, certificate)? {
                Ok(change) => gated.push(change),
                Err(verdict) => return Ok(Judgement::Not(verdict, Vec::new())),
            }
        }
        self.weigh(batch, certificate, gated)
    }

    /// Whether the device was revoked, under this certificate or another one of its key.
    fn is_revoked(&self, certificate: &Certificate) -> bool {
        self.revoked
            .keys()
            .filter_map(|id| self.certificates.get(id))
            .any(|revoked| revoked.key == certificate.key)
            || self.revoked.contains_key(&certificate.id())
    }

    fn pass_gate(
        &mut self,
        batch: &Batch,
        index: usize,
        certificate: &Certificate,
    ) -> Result<Result<Gated, Verdict>, HubError> {
        let Some(change) = batch.changes.get(index) else { return Err(HubError::Unknown("change")) };
        let envelope = &change.envelope;
        let cause = Some(index);
        if self.catalogue.get(envelope.document).is_none() {
            // Foreign and unknown documents get the same answer, and the document may be founded later.
            return Ok(Err(Verdict::traceless(Code::Missing, cause)));
        }
        let expect = Expectation {
            hash: Some(envelope.change),
            actor: Some(certificate.actor(envelope.document, envelope.epoch)),
            command: Some(envelope.command),
            capacity: Some(envelope.capacity),
            accepted_by_hub: false,
        };
        let (database, school) = (self.database, self.school);
        let loaded = self.shelf.get(database, school, self.catalogue, self.certificates, envelope.document);
        let loaded = match loaded {
            Ok(loaded) => loaded,
            // One document that does not load must not keep the others from being written.
            Err(HubError::Stored(what)) => {
                tracing::error!(document = %envelope.document, what, "a document cannot be written to");
                return Ok(Err(Verdict::traceless(Code::Busy, cause)));
            }
            Err(error) => return Err(error),
        };
        let judged = match gate::judge(&loaded.document, &change.chunk, &expect) {
            Ok(gate::Verdict::Sound(judged)) => judged,
            // Only a genesis is in a document and not in the log.
            Ok(gate::Verdict::Known(_)) => return Ok(Err(Verdict::final_code(Code::Form, cause))),
            Err(refusal) => {
                tracing::debug!(document = %envelope.document, code = refusal.code.as_str(), reason = refusal.reason, "the gate refuses a change");
                let code = match refusal.code {
                    gate::Code::Bounds => Code::Bounds,
                    gate::Code::Form => Code::Form,
                    gate::Code::Graph => Code::Graph,
                    gate::Code::Duplicate => Code::Duplicate,
                    gate::Code::Missing => {
                        let rests_on_refused = self.rests_on_refused(envelope.document, &change.chunk)?;
                        return Ok(Err(match rests_on_refused {
                            true => Verdict::final_code(Code::Graph, cause),
                            false => Verdict::traceless(Code::Missing, cause),
                        }));
                    }
                };
                return Ok(Err(Verdict::final_code(code, cause)));
            }
        };
        let mut next = loaded.clone();
        let puts = judged.puts.clone();
        if gate::admit(&mut next.document, judged).is_err() {
            return Ok(Err(Verdict::final_code(Code::Form, cause)));
        }
        next.note_origin(certificate, change);
        Ok(Ok(Gated { loaded: next, puts }))
    }

    fn rests_on_refused(&self, document: registro_model::DocumentId, chunk: &[u8]) -> Result<bool, HubError> {
        let Some(head) = ChunkHead::read(chunk) else { return Ok(false) };
        for dep in &head.deps {
            if memory::recall(self.database, self.school, document, dep)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Policy for every fact of the batch, then the office's rules, then the standing.
    fn weigh(
        &self,
        batch: &Batch,
        certificate: &Certificate,
        gated: Vec<Gated>,
    ) -> Result<Judgement, HubError> {
        if let Some(verdict) = self.lacks_level(certificate.person, &gated) {
            return Ok(Judgement::Not(verdict, Vec::new()));
        }
        let today = day_in_italy(self.now);
        let refused = |question: &Question<'_>| match policy::judge(question) {
            Answer::Allowed => None,
            Answer::Refused(reason) => Some(reason),
            // The directory of the hub is complete: what it cannot tell, nobody may.
            Answer::CannotTell => Some(Reason::NotInCapacity),
        };
        if let Some(verdict) = self.objections(batch, certificate.person, &gated, Code::Refused, refused) {
            return Ok(Judgement::Not(verdict, names(&gated)));
        }
        let office = |question: &Question<'_>| policy::office::destination(question, today);
        if let Some(verdict) = self.objections(batch, certificate.person, &gated, Code::Office, office) {
            return Ok(Judgement::Not(verdict, names(&gated)));
        }
        let mut acceptable = Vec::with_capacity(gated.len());
        for (index, change) in gated.into_iter().enumerate() {
            let standings = self.ask_each(batch, index, certificate.person, &change, |question| {
                (question.fact.is_annulled(), policy::standing(question))
            });
            let standing = policy::standing_of_change(standings).unwrap_or(Standing::Pupil);
            acceptable.push(Acceptable {
                document: change.loaded.identity.id,
                standing,
                puts: change
                    .puts
                    .into_iter()
                    .map(|put| (put.section.to_owned(), put.key, put.fact))
                    .collect(),
                next: change.loaded,
            });
        }
        Ok(Judgement::Acceptable(acceptable))
    }

    /// Whether the author's session is not sure enough. A batch that another person brings counts as of one factor:
    /// how its author logged in, nobody can tell. Nothing is remembered of it, for it comes again.
    fn lacks_level(&self, author: PersonId, gated: &[Gated]) -> Option<Verdict> {
        let is_own = self.caller.person == author && self.caller.level >= Level::L2;
        // The hub's own facts come back to a restored hub from any device.
        if is_own || author.0 == self.school.0 {
            return None;
        }
        let needs = |change: &Gated| {
            let kind = change.loaded.identity.kind;
            change.puts.iter().any(|put| (self.two_factors)(kind, put.section))
        };
        let causes: Vec<_> =
            gated.iter().enumerate().filter(|(_, change)| needs(change)).map(|(index, _)| index).collect();
        (!causes.is_empty())
            .then(|| Verdict { causes: Some(causes), ..Verdict::traceless(Code::NeedsLevel, None) })
    }

    /// What keeps a batch out of the register: every change with such a fact, and the first one's reason.
    fn objections(
        &self,
        batch: &Batch,
        author: PersonId,
        gated: &[Gated],
        code: Code,
        ask: impl Fn(&Question<'_>) -> Option<Reason>,
    ) -> Option<Verdict> {
        let reasons: Vec<_> = gated
            .iter()
            .enumerate()
            .filter_map(|(index, change)| {
                let reason =
                    self.ask_each(batch, index, author, change, &ask).into_iter().flatten().next()?;
                Some((index, reason))
            })
            .collect();
        let (_, first) = reasons.first()?;
        let causes = reasons.iter().map(|(index, _)| *index).collect();
        Some(Verdict::kept(code, *first, Some(causes)))
    }

    fn ask_each<T>(
        &self,
        batch: &Batch,
        index: usize,
        author: PersonId,
        change: &Gated,
        ask: impl Fn(&Question<'_>) -> T,
    ) -> Vec<T> {
        let Some(capacity) = batch.changes.get(index).map(|change| change.envelope.capacity) else {
            return Vec::new();
        };
        let latest = day_in_italy(self.now).checked_add_days(Days::new(1));
        change
            .puts
            .iter()
            .map(|put| {
                let replaced: Vec<_> = put
                    .replaces
                    .iter()
                    .map(|version| Replaced {
                        fact: &version.fact,
                        author: change.loaded.author(&version.op.actor, self.certificates),
                    })
                    .collect();
                ask(&Question {
                    school_id: self.school,
                    school: &self.registered.school,
                    directory: &self.registered.directory,
                    document: &change.loaded.identity,
                    author,
                    capacity,
                    section: put.section,
                    key: &put.key,
                    fact: &put.fact,
                    replaced: &replaced,
                    latest,
                })
            })
            .collect()
    }
}

fn names(gated: &[Gated]) -> Vec<FactName> {
    gated
        .iter()
        .flat_map(|change| {
            change.puts.iter().map(|put| FactName {
                document: change.loaded.identity.id,
                section: put.section.to_owned(),
                key: put.key.clone(),
            })
        })
        .collect()
}
