//! A year of nine classes: about 250 changes in each pupil's record, five lessons a day in each class's months.

use std::collections::BTreeMap;

use registro_documents::envelope::batch_digest;
use registro_documents::gate::{self, Expectation, Verdict};
use registro_documents::write::{Put, write};
use registro_documents::{
    Batch, Certificate, Document, Envelope, Fact, Kind, Scalar, SignedChange, SigningKey, Subject,
};
use registro_hub::Hub;
use registro_hub::caller::{Caller, Level};
use registro_hub::clock::start_of_day;
use registro_hub::dev;
use registro_hub::hub::devices::proof_text;
use registro_hub::registry::Registered;
use registro_model::{Capacity, ClassCode, CommandId, Date, DocumentId, PersonId};
use registro_sync::Request;
use registro_sync::messages::Outcome;
use zeroize::Zeroizing;

pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Somebody who writes, on a device without a store.
struct Author {
    person: PersonId,
    key: SigningKey,
    certificate: Certificate,
}

/// Writes through the hub.
pub struct Writers<'a> {
    hub: &'a Hub,
    authors: BTreeMap<PersonId, Author>,
    documents: BTreeMap<DocumentId, Document>,
    open: Vec<Batch>,
    open_changes: usize,
    commands: u64,
    epoch: [u8; 8],
    /// Changes accepted so far.
    pub changes: usize,
}

/// Changes in one push.
const PUSHED: usize = 400;

impl<'a> Writers<'a> {
    pub fn new(hub: &'a Hub) -> Self {
        Self {
            hub,
            authors: BTreeMap::new(),
            documents: BTreeMap::new(),
            open: Vec::new(),
            open_changes: 0,
            commands: 0,
            epoch: [1; 8],
            changes: 0,
        }
    }

    fn author(&mut self, person: PersonId, now: i64) -> Result<(), Failure> {
        if self.authors.contains_key(&person) {
            return Ok(());
        }
        let mut seed = [9; 32];
        for (to, from) in seed.iter_mut().zip(person.0) {
            *to = from;
        }
        let key = SigningKey::from_seed(&Zeroizing::new(seed));
        let proof = key.sign(&proof_text(dev::ISSUER, self.hub.school_id(), person, b"", b"bench"));
        let certificate =
            self.hub.certify(&dev::authorized(person, "bench".to_owned()), key.public(), &proof, now)?;
        self.authors.insert(person, Author { person, key, certificate });
        Ok(())
    }

    /// A document as these writers have it.
    pub fn document(&mut self, id: DocumentId) -> Result<&mut Document, Failure> {
        if !self.documents.contains_key(&id) {
            let loaded = self.hub.document(id)?;
            self.documents.insert(id, loaded.document);
        }
        self.documents.get_mut(&id).ok_or_else(|| "a document".into())
    }

    /// One command in one document; returns its id.
    pub fn give(
        &mut self,
        person: PersonId,
        capacity: Capacity,
        document: DocumentId,
        facts: Vec<(&'static str, String, Fact)>,
        now: i64,
    ) -> Result<CommandId, Failure> {
        self.author(person, now)?;
        self.commands += 1;
        // Random in the field: here drawn from a counter by a digest, so that it compresses as badly.
        let digest = registro_documents::bytes::sha256(&self.commands.to_be_bytes());
        let mut id = [0; 8];
        id.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
        let command = CommandId(id);
        let puts: Vec<Put> = facts
            .into_iter()
            .map(|(section, key, fact)| Put {
                section: section.to_owned(),
                key,
                fact: Fact { v: command, capacity, ..fact },
            })
            .collect();
        let author = self.authors.get(&person).ok_or("an author")?;
        let epoch = self.epoch;
        let actor = author.certificate.actor(document, epoch);
        let written =
            write(self.documents.get(&document).ok_or("a document")?, actor, None, now / 1_000, &puts)?;
        let salt = [5; 16];
        let envelope = Envelope {
            school: self.hub.school_id(),
            document,
            change: written.hash.0,
            certificate: author.certificate.id(),
            capacity,
            command,
            epoch,
            batch: batch_digest(&salt, &[(document, written.hash.0)]),
            directory: 1,
            signature: [0; 64],
        }
        .signed(&author.key);
        let (chunk, person) = (written.chunk, author.person);
        let held = self.document(document)?;
        if let Verdict::Sound(judged) =
            gate::judge(held, &chunk, &Expectation::default()).map_err(|refusal| refusal.reason)?
        {
            gate::admit(held, judged).map_err(|refusal| refusal.reason)?;
        }
        self.open.push(Batch { salt, changes: vec![SignedChange { envelope, chunk }] });
        self.open_changes += 1;
        if self.open_changes >= PUSHED {
            self.push(person, now)?;
        }
        Ok(command)
    }

    /// The same as another one of the teacher's devices would, of that number.
    pub fn give_as(
        &mut self,
        device: u64,
        person: PersonId,
        document: DocumentId,
        facts: Vec<(&'static str, String, Fact)>,
        now: i64,
    ) -> Result<(), Failure> {
        self.epoch = (device + 1).to_be_bytes();
        self.commands = self.commands.max(device << 40);
        self.give(person, Capacity::Lesson, document, facts, now).map(drop)
    }

    /// Sends what is open.
    pub fn push(&mut self, person: PersonId, now: i64) -> Result<(), Failure> {
        let end = self.hub.head()?;
        let push = std::mem::take(&mut self.open);
        self.open_changes = 0;
        let request = Request { cursor: end, end, push, ..Request::default() };
        let reply = self.hub.sync(&Caller::new(person, Level::L2), &request, now)?;
        for ack in &reply.acks {
            if let Outcome::Not { code, reason, .. } = &ack.outcome {
                return Err(format!("the year is not accepted: {code:?} {reason:?}").into());
            }
            self.changes += 1;
        }
        Ok(())
    }
}

/// The classes that a teacher has, with their pupils.
pub fn classes_of(registered: &Registered, teacher: PersonId, date: Date) -> Vec<(ClassCode, Vec<PersonId>)> {
    let mut classes: Vec<_> = registered
        .directory
        .classes
        .iter()
        .filter(|(_, entry)| entry.assignments.iter().any(|a| a.teacher == teacher && a.span.contains(date)))
        .map(|(class, entry)| {
            let pupils =
                entry.enrolments.iter().filter(|(_, span)| span.contains(date)).map(|(p, _)| *p).collect();
            (class.clone(), pupils)
        })
        .collect();
    classes.sort();
    classes
}

/// The record of a pupil.
pub fn record(hub: &Hub, pupil: PersonId) -> Result<DocumentId, Failure> {
    hub.find(Kind::PupilRecord, &Subject::Person(pupil))?.ok_or_else(|| "a pupil's record".into())
}

fn hex(number: u64) -> String {
    registro_documents::bytes::sha256(&number.to_be_bytes())
        .iter()
        .take(8)
        .map(|b| format!("{b:02x}"))
        .collect()
}

fn base() -> Fact {
    Fact::new(CommandId([0; 8]), Capacity::Lesson)
}

/// What one pupil's record gets on one day; some 250 changes over the year.
fn pupil_day(
    writers: &mut Writers<'_>,
    registered: &Registered,
    (pupil, index): (PersonId, usize),
    (date, number): (Date, usize),
    teacher: PersonId,
    now: i64,
) -> Result<(), Failure> {
    let document = record(writers.hub, pupil)?;
    writers.document(document)?;
    let fact = match (index + number) % 4 {
        0 => ("attendance", format!("{date}/absence"), base().with("slot", 1u8)),
        1 => ("attendance", format!("{date}/entry"), base().with("slot", 1u8).with("time", "08:45")),
        2 => ("attendance", format!("{date}/exit"), base().with("slot", 4u8).with("time", "12:10")),
        _ => {
            let out =
                base().with("slot", 2u8).with("kind", "in-school").with("from", "10:00").with("to", "10:30");
            ("attendance", format!("{date}/out/{}", hex((index * 1_000 + number) as u64)), out)
        }
    };
    writers.give(teacher, Capacity::Lesson, document, vec![fact], now)?;
    if (index + number) % 8 != 0 {
        return Ok(());
    }
    // Every second absence is justified and decided.
    let guardian =
        registered.directory.guardians.get(&pupil).into_iter().flatten().find(|g| {
            g.rights == registro_model::directory::GuardianRights::Complete && g.span.contains(date)
        });
    let Some(guardian) = guardian.map(|g| g.guardian) else { return Ok(()) };
    let key = format!("absence/{date}/{}", hex((index * 1_000 + number + 500_000) as u64));
    let justification = base().with("to", date).with("reason", "health");
    let facts = vec![("justifications", key.clone(), justification)];
    let justified = writers.give(guardian, Capacity::Guardian, document, facts, now)?;
    let decision = base()
        .with("kind", "absence")
        .with("reason", "health")
        .with("of", justified.0.to_vec())
        .with("key", key)
        .with("from", date)
        .with("to", date)
        .with("approved", true);
    let facts = vec![("decisions", hex((index * 1_000 + number + 900_000) as u64), decision)];
    writers.give(teacher, Capacity::Lesson, document, facts, now).map(drop)
}

/// Days of the year on which nothing is written, for the rolls that are measured: a roll is refused once the class has
/// a late entry or an exit that day.
pub fn empty_days() -> Vec<Date> {
    [(2027, 5, 6), (2027, 5, 7)].into_iter().filter_map(|(y, m, d)| Date::from_ymd_opt(y, m, d)).collect()
}

/// Writes the year of the classes.
pub fn write_year(
    writers: &mut Writers<'_>,
    registered: &Registered,
    classes: &[(ClassCode, Vec<PersonId>)],
) -> Result<usize, Failure> {
    let school = &registered.school;
    let mut days = 0;
    for date in school.year.lessons_from.iter_days().take_while(|date| *date <= school.year.lessons_to) {
        if empty_days().contains(&date) {
            continue;
        }
        let now = start_of_day(date) + 13 * 3_600_000;
        let mut last = None;
        for (class, pupils) in classes {
            let entry = registered.directory.classes.get(class).ok_or("a class")?;
            let slots = school.slots_of(&entry.site, date);
            if slots.is_empty() {
                continue;
            }
            let weekday = chrono::Datelike::weekday(&date).number_from_monday() as u8;
            let month = Subject::Month(class.clone(), date.format("%Y-%m").to_string());
            let month = writers.hub.find(Kind::ClassMonth, &month)?.ok_or("a month")?;
            writers.document(month)?;
            let mut teachers = Vec::new();
            for slot in slots {
                let line = entry.timetable.iter().find(|l| l.weekday == weekday && l.slot == slot.position);
                let Some(line) = line else { continue };
                // The timetable names also who is replaced: they read and do not write.
                let holds = |teacher: &&PersonId| {
                    registered.directory.is_assigned(**teacher, class, date) == Some(true)
                };
                let Some(teacher) = line.teachers.iter().find(holds).copied() else { continue };
                teachers.push(teacher);
                let key = format!("{date}#{}/{teacher}", slot.position);
                let seen = base().with_map(
                    "seen",
                    [
                        ("position".to_owned(), Scalar::Int(1_000)),
                        (
                            "chain".to_owned(),
                            Scalar::Bytes(registro_documents::bytes::sha256(key.as_bytes()).to_vec()),
                        ),
                        ("commands".to_owned(), Scalar::Bytes(Vec::new())),
                    ],
                );
                let lesson = base().with("subject", line.subject.as_str()).with("kind", "lesson");
                let topic = base()
                    .with("topic", format!("Lezione del {date}: spiegazione ed esercizi svolti insieme"));
                let mut facts = vec![("lessons", key.clone(), lesson), ("topics", key.clone(), topic)];
                if slot.position == 1 {
                    facts.push(("rolls", key, seen));
                }
                writers.give(teacher, Capacity::Lesson, month, facts, now)?;
            }
            for (index, pupil) in pupils.iter().enumerate() {
                let on_roll = entry.enrolments.iter().any(|(p, span)| p == pupil && span.contains(date));
                // Work on one's own child goes to the office.
                let own = |teacher: &&PersonId| registered.directory.is_guardian(**teacher, *pupil, date);
                let mut rotated =
                    teachers.iter().cycle().skip(index % teachers.len().max(1)).take(teachers.len());
                let teacher = rotated.find(|teacher| !own(teacher)).copied();
                if let (true, Some(teacher)) = (on_roll, teacher) {
                    pupil_day(writers, registered, (*pupil, index), (date, days), teacher, now)?;
                    last = Some(teacher);
                }
            }
        }
        if let Some(teacher) = last {
            days += 1;
            writers.push(teacher, now)?;
        }
    }
    Ok(days)
}
