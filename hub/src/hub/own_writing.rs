//! The hub as an author: it founds what is missing and writes what the directory says, as changes that pass the
//! same gate as everybody's, under a certificate of its own and a new epoch at each start.

use std::collections::{HashMap, HashSet};

use registro_documents::envelope::batch_digest;
use registro_documents::gate::bounds::MAX_CHUNK;
use registro_documents::gate::{self, Expectation, Verdict};
use registro_documents::write::{MAX_HEADS, Put, write};
use registro_documents::{
    AcceptanceRecord, ChangeHash, DocumentIdentity, Envelope, Epoch, Fact, Hash, SignedChange, SigningKey,
};
use registro_model::{Capacity, CommandId, DocumentId, PersonId, SchoolId, Standing};
use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use zeroize::Zeroizing;

use super::Inner;
use crate::documents::catalogue::write_last;
use crate::documents::{Loaded, folding};
use crate::error::HubError;
use crate::founding::facts::digest;
use crate::founding::packing::pack;
use crate::founding::year_documents::year_documents;
use crate::founding::{HubFact, hub_facts};
use crate::log::{Appender, NewRow, RowKind};
use crate::random::draw;

/// The hub's own device: a key and an epoch per start.
pub(crate) struct HubAuthor {
    key: SigningKey,
    certificate: registro_documents::Certificate,
    epoch: Epoch,
}

/// What is noted of a fact that the hub has annulled.
const ANNULLED: Hash = [0; 32];
/// Why the hub annuls a fact of its own.
const NO_LONGER: &str = "directory";

type Written = HashMap<(DocumentId, String, String), Hash>;

impl Inner {
    /// Founds missing documents and writes the facts that differ from what the hub wrote last. Nothing differs,
    /// nothing is written.
    pub(super) fn write_own_facts(&mut self, now: i64) -> Result<(), HubError> {
        let result = self.write_differing_facts(now);
        if result.is_err()
            && let Some(author) = self.author.take()
        {
            // What was not committed is not known: the next attempt certifies a new key.
            self.certificates.remove(&author.certificate.id());
        }
        result
    }

    fn write_differing_facts(&mut self, now: i64) -> Result<(), HubError> {
        let missing: Vec<_> = year_documents(&self.registered)
            .into_iter()
            .filter(|(kind, subject)| self.catalogue.find(*kind, subject).is_none())
            .collect();
        let mut catalogue = self.catalogue.clone();
        let transaction = Transaction::new_unchecked(&self.database, TransactionBehavior::Immediate)?;
        for (kind, subject) in missing {
            let identity = DocumentIdentity {
                id: DocumentId(draw(self.random.as_mut())),
                kind,
                subject,
                year: self.registered.school.year.label.clone(),
                generation: 0,
            };
            catalogue.found(&transaction, self.school, identity)?;
        }
        let written = written_facts(&transaction, self.school)?;
        let wanted = hub_facts(&self.registered, &catalogue);
        let mut differing = Vec::new();
        let mut wanted_keys = HashSet::new();
        for (document, facts) in &wanted {
            let mut changed = Vec::new();
            for fact in facts {
                let place = (*document, fact.section.to_owned(), fact.key.clone());
                if written.get(&place) != Some(&digest(&fact.fact)) {
                    changed.push(fact.clone());
                }
                wanted_keys.insert(place);
            }
            if !changed.is_empty() {
                differing.push((*document, changed));
            }
        }
        let mut gone: Vec<_> = written
            .iter()
            .filter(|(place, digest)| **digest != ANNULLED && !wanted_keys.contains(*place))
            .map(|(place, _)| place.clone())
            .collect();
        gone.sort_unstable();
        if differing.is_empty() && gone.is_empty() {
            transaction.commit()?;
            self.catalogue = catalogue;
            return Ok(());
        }
        let mut appender = Appender::begin(&transaction, self.school)?;
        if self.author.is_none() {
            let seed = Zeroizing::new(draw::<32>(self.random.as_mut()));
            let key = SigningKey::from_seed(&seed);
            let certificate = super::devices::certificate_for(
                &self.key,
                self.school,
                PersonId(self.school.0),
                *key.public(),
                &self.registered.school.year,
                now,
            );
            self.author = Some(HubAuthor { key, certificate, epoch: draw(self.random.as_mut()) });
        }
        let author = self.author.as_ref().ok_or(HubError::Founding("no author".to_owned()))?;
        if self.certificates.insert(author.certificate.id(), author.certificate.clone()).is_none() {
            super::devices::append_certificate(&mut appender, &transaction, &author.certificate, now)?;
        }
        let mut next: HashMap<DocumentId, Loaded> = HashMap::new();
        let mut pen = Pen {
            transaction: &transaction,
            appender,
            school: self.school,
            author,
            now,
            random: self.random.as_mut(),
        };
        for (document, section, key) in gone {
            let loaded = match next.remove(&document) {
                Some(loaded) => loaded,
                None => self
                    .shelf
                    .get(&transaction, self.school, &catalogue, &self.certificates, document)?
                    .clone(),
            };
            let annulled = pen.annul(loaded, &section, &key)?;
            next.insert(document, annulled);
        }
        for (document, facts) in differing {
            let mut loaded = match next.remove(&document) {
                Some(loaded) => loaded,
                None => match catalogue.get(document) {
                    // Most documents are new at the first start: no need to look for their past.
                    Some(entry) if entry.last_position == 0 => Loaded::founded(entry.identity.clone()),
                    _ => self
                        .shelf
                        .get(&transaction, self.school, &catalogue, &self.certificates, document)?
                        .clone(),
                },
            };
            for group in pack(facts) {
                pen.write_group(&mut loaded, group)?;
            }
            next.insert(document, loaded);
        }
        let head = pen.appender.finish()?;
        for (document, loaded) in &next {
            let last = loaded.records.values().map(|record| record.position).max().unwrap_or(0);
            write_last(&transaction, self.school, *document, last)?;
            catalogue.note_last(*document, last);
        }
        transaction.commit()?;
        self.catalogue = catalogue;
        for (document, loaded) in next {
            let due = loaded.tail >= folding::FOLD_AT;
            self.shelf.put(document, loaded);
            if due {
                self.fold(document, head);
            }
        }
        self.checkpoint(head, now)
    }
}

/// Writes changes of the hub's inside one transaction.
struct Pen<'a, 't> {
    transaction: &'t Connection,
    appender: Appender<'t>,
    school: SchoolId,
    author: &'a HubAuthor,
    now: i64,
    random: &'a mut dyn crate::random::Random,
}

impl Pen<'_, '_> {
    fn annul(&mut self, mut loaded: Loaded, section: &str, key: &str) -> Result<Loaded, HubError> {
        let document = loaded.identity.id;
        let current = loaded.document.versions(section, key).into_iter().next();
        if let (Some(version), Some(section)) =
            (current, loaded.identity.kind.sections().iter().find(|known| **known == section))
        {
            let annulled = version.fact.annulled_by(CommandId([0; 8]), Capacity::School, NO_LONGER);
            self.write_group(&mut loaded, vec![HubFact { section, key: key.to_owned(), fact: annulled }])?;
        }
        store_digest(self.transaction, self.school, document, section, key, &ANNULLED)?;
        Ok(loaded)
    }

    /// Writes a group of facts; cuts it in two if the change exceeds the bounds after all.
    fn write_group(&mut self, loaded: &mut Loaded, group: Vec<HubFact>) -> Result<(), HubError> {
        let failed = |why: String| HubError::Founding(why);
        let command = CommandId(draw(self.random));
        let document = loaded.identity.id;
        let actor = self.author.certificate.actor(document, self.author.epoch);
        let puts: Vec<_> = group
            .iter()
            .map(|fact| Put {
                section: fact.section.to_owned(),
                key: fact.key.clone(),
                fact: Fact { v: command, ..fact.fact.clone() },
            })
            .collect();
        let heads = heads_to_write_on(loaded);
        let written = write(&loaded.document, actor, heads.as_deref(), self.now.div_euclid(1_000), &puts)
            .map_err(|error| failed(error.to_string()))?;
        if written.chunk.len() > MAX_CHUNK && group.len() > 1 {
            let mut first = group;
            let second = first.split_off(first.len() / 2);
            self.write_group(loaded, first)?;
            return self.write_group(loaded, second);
        }
        let expect = Expectation {
            hash: Some(written.hash.0),
            actor: Some(actor),
            command: Some(command),
            capacity: Some(Capacity::School),
            accepted_by_hub: false,
        };
        match gate::judge(&loaded.document, &written.chunk, &expect) {
            Ok(Verdict::Sound(judged)) => {
                gate::admit(&mut loaded.document, judged).map_err(|refusal| failed(refusal.to_string()))?;
            }
            Ok(Verdict::Known(_)) => return Err(failed("a change that is there already".to_owned())),
            Err(refusal) => {
                return Err(failed(format!("the gate refuses facts of {}: {refusal}", loaded.identity.kind)));
            }
        }
        let hash = written.hash.0;
        let salt: [u8; 16] = draw(self.random);
        let signed = SignedChange {
            envelope: Envelope {
                school: self.school,
                document,
                change: hash,
                certificate: self.author.certificate.id(),
                capacity: Capacity::School,
                command,
                epoch: self.author.epoch,
                batch: batch_digest(&salt, &[(document, hash)]),
                directory: 0,
                signature: [0; 64],
            }
            .signed(&self.author.key),
            chunk: written.chunk,
        };
        self.appender.begin_batch();
        let person = PersonId(self.school.0);
        let position = self.appender.push(&NewRow {
            kind: RowKind::Change,
            document,
            hash,
            author: person,
            weight: Some(Standing::School as u8),
            received: self.now,
            data: &crate::encode(&signed),
        })?;
        self.transaction
            .prepare_cached("INSERT INTO command (school, person, id, pos) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![self.school.0, person.0, command.0, position])?;
        for fact in &group {
            store_digest(
                self.transaction,
                self.school,
                document,
                fact.section,
                &fact.key,
                &digest(&fact.fact),
            )?;
        }
        loaded.note_origin(&self.author.certificate, &signed);
        let record = AcceptanceRecord {
            position,
            received: self.now,
            standing: Standing::School,
            seen_is_lost: false,
        };
        loaded.records.insert(hash, record);
        loaded.tail += 1;
        Ok(())
    }
}

/// The heads to write on if there are too many: the hub's own last change, then the newest.
fn heads_to_write_on(loaded: &Loaded) -> Option<Vec<ChangeHash>> {
    let mut heads = loaded.document.heads();
    if heads.len() <= MAX_HEADS {
        return None;
    }
    let position = |hash: &ChangeHash| loaded.records.get(&hash.0).map_or(0, |record| record.position);
    let own = loaded
        .records
        .iter()
        .filter(|(_, record)| record.standing == Standing::School)
        .max_by_key(|(_, record)| record.position)
        .map(|(hash, _)| ChangeHash(*hash));
    heads.sort_by_key(|head| {
        let holds_own = own.is_some_and(|own| loaded.document.is_ancestor(&own, &[*head]));
        (!holds_own, std::cmp::Reverse(position(head)))
    });
    heads.truncate(MAX_HEADS);
    Some(heads)
}

fn written_facts(database: &Connection, school: SchoolId) -> Result<Written, HubError> {
    let mut statement =
        database.prepare("SELECT doc, section, key, digest FROM hub_fact WHERE school = ?1")?;
    let rows = statement.query_map([school.0], |row| {
        Ok(((DocumentId(row.get(0)?), row.get::<_, String>(1)?, row.get::<_, String>(2)?), row.get(3)?))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn store_digest(
    transaction: &Connection,
    school: SchoolId,
    document: DocumentId,
    section: &str,
    key: &str,
    digest: &Hash,
) -> Result<(), HubError> {
    transaction
        .prepare_cached(
            "INSERT INTO hub_fact (school, doc, section, key, digest) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (school, doc, section, key) DO UPDATE SET digest = excluded.digest",
        )?
        .execute(params![school.0, document.0, section, key, digest])?;
    Ok(())
}

/// Notes what a change of the hub's that came back from a device says.
pub(super) fn note_written(
    transaction: &Connection,
    school: SchoolId,
    document: DocumentId,
    section: &str,
    key: &str,
    fact: &Fact,
) -> Result<(), HubError> {
    let digest = if fact.is_annulled() { ANNULLED } else { digest(fact) };
    store_digest(transaction, school, document, section, key, &digest)
}
