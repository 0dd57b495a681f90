//! A small invented school, and devices that talk to its hub without a device's state machine.

#![allow(dead_code)]

use std::collections::BTreeMap;
use std::sync::Arc;

use registro_documents::device_key::verify;
use registro_documents::envelope::batch_digest;
use registro_documents::write::{Put, write};
use registro_documents::{
    Batch, Certificate, Document, Envelope, Fact, Hash, Kind, SignedChange, SigningKey, Subject,
};
use registro_hub::caller::{Caller, Level};
use registro_hub::clock::parse_instant;
use registro_hub::dev;
use registro_hub::hub::devices::proof_text;
use registro_hub::registry::{LoginFacts, MemoryRegistry, PupilDetails, Registered};
use registro_hub::{Hub, Random};
use registro_model::directory::{
    AssignmentKind, Directory, GuardianRights, Guardianship, Pupil, SchoolClass, StaffMember,
    TeachingAssignment, TimetableEntry,
};
use registro_model::ids::SiteCode;
use registro_model::people::Role;
use registro_model::school::{
    BellSlot, School, SchoolSubject, SchoolYear, Settings, Site, SubjectKind, Term,
};
use registro_model::time::Span;
use registro_model::{Capacity, ClassCode, ClockTime, CommandId, Date, DocumentId, PersonId, SchoolId};
use registro_sync::messages::{Ack, Entry, Outcome};
use registro_sync::{Cursor, Reply, Request};
use zeroize::Zeroizing;

pub const SCHOOL: SchoolId = SchoolId([0x5c; 16]);

pub const fn person(n: u8) -> PersonId {
    PersonId([n; 16])
}

pub const TEACHER: PersonId = person(1);
pub const SECOND: PersonId = person(2);
pub const THIRD: PersonId = person(3);
pub const SUBSTITUTE: PersonId = person(4);
pub const COORDINATOR: PersonId = person(5);
pub const REPLACED: PersonId = person(6);
pub const SUPPLY: PersonId = person(7);
pub const HEAD: PersonId = person(8);
pub const OFFICE: PersonId = person(9);
pub const CARETAKER: PersonId = person(10);
pub const P1: PersonId = person(21);
pub const P2: PersonId = person(22);
/// Moved from 4B to 3A on 2 November.
pub const MOVED: PersonId = person(23);
pub const Q1: PersonId = person(31);
/// Complete rights over P1 and Q1.
pub const MOTHER: PersonId = person(41);
/// Sees P1 only.
pub const FATHER: PersonId = person(42);
/// No rights over P2, by court order.
pub const ESTRANGED: PersonId = person(43);
/// Complete rights over the pupil who moved.
pub const GUARDIAN_OF_MOVED: PersonId = person(44);

pub fn day(text: &str) -> Date {
    text.parse().unwrap()
}

pub fn class(code: &str) -> ClassCode {
    ClassCode::new(code).unwrap()
}

/// An instant in Italy in winter.
pub fn at(text: &str) -> i64 {
    parse_instant(&format!("{text}:00+01:00")).unwrap()
}

/// Monday 23 November 2026, before eight.
pub fn morning() -> i64 {
    at("2026-11-23T07:30")
}

fn year() -> Span {
    Span { from: day("2026-09-01"), to: Some(day("2027-08-31")) }
}

fn staff(name: &str, roles: &[Role]) -> StaffMember {
    StaffMember { name: name.to_owned(), roles: roles.iter().map(|role| (*role, year())).collect() }
}

fn assignment(teacher: PersonId, subject: &str) -> TeachingAssignment {
    TeachingAssignment {
        teacher,
        group: None,
        subject: subject.parse().unwrap(),
        kind: AssignmentKind::Normal,
        span: year(),
        supplies: None,
    }
}

fn line(slot: u8, subject: &str, teacher: PersonId) -> TimetableEntry {
    TimetableEntry {
        weekday: 1,
        slot,
        subject: subject.parse().unwrap(),
        group: None,
        teachers: vec![teacher],
        room: "12".to_owned(),
    }
}

fn pupil(name: &str, classes: &[(&str, &str, Option<&str>)]) -> Pupil {
    Pupil {
        name: name.to_owned(),
        born: Some(day("2010-03-01")),
        classes: classes
            .iter()
            .map(|(code, from, to)| (class(code), Span { from: day(from), to: to.map(day) }))
            .collect(),
        groups: Vec::new(),
    }
}

fn guardian(guardian: PersonId, name: &str, rights: GuardianRights) -> Guardianship {
    Guardianship { guardian, name: name.to_owned(), rights, span: year() }
}

pub fn registry() -> MemoryRegistry {
    let site = SiteCode::new("C").unwrap();
    let time = |hour, minute| ClockTime::new(hour, minute).unwrap();
    let slots = (1..=6)
        .flat_map(|weekday| (1..=5).map(move |position| (weekday, position)))
        .map(|(weekday, position)| BellSlot {
            site: site.clone(),
            weekday,
            position,
            start: time(7 + u16::from(position), 20),
            end: time(8 + u16::from(position), 20),
            half_units: 2,
        })
        .collect();
    let school = School {
        code: "QZIS00100X".to_owned(),
        name: "IIS di prova".to_owned(),
        year: SchoolYear {
            label: "2026/2027".to_owned(),
            start: day("2026-09-01"),
            end: day("2027-08-31"),
            lessons_from: day("2026-09-14"),
            lessons_to: day("2027-06-08"),
        },
        terms: vec![Term {
            code: "P".to_owned(),
            position: 1,
            label: "Primo trimestre".to_owned(),
            start: day("2026-09-14"),
            end: day("2026-12-22"),
            is_final: false,
        }],
        sites: vec![Site { code: site.clone(), name: "Centrale".to_owned() }],
        closed_days: Vec::new(),
        slots,
        subjects: vec![SchoolSubject {
            code: "ITA".parse().unwrap(),
            name: "Italiano".to_owned(),
            short_name: "Ita".to_owned(),
            kind: SubjectKind::Normal,
            evaluation: registro_model::school::Evaluation::Numeric,
            in_mean: true,
            order: 1,
        }],
        settings: Settings::default(),
    };
    let mut directory = Directory { version: 1, complete: true, ..Directory::default() };
    for (id, name, roles) in [
        (TEACHER, "Uno Anna", &[Role::Teacher][..]),
        (SECOND, "Due Bruno", &[Role::Teacher]),
        (THIRD, "Tre Carla", &[Role::Teacher]),
        (SUBSTITUTE, "Quattro Dario", &[Role::Teacher]),
        (COORDINATOR, "Cinque Elena", &[Role::Teacher]),
        (REPLACED, "Sei Fabio", &[Role::Teacher]),
        (SUPPLY, "Sette Gina", &[Role::Teacher]),
        (HEAD, "Otto Ines", &[Role::Head]),
        (OFFICE, "Nove Luca", &[Role::Office]),
        (CARETAKER, "Dieci Marta", &[Role::SupportStaff]),
    ] {
        directory.staff.insert(id, staff(name, roles));
    }
    let mut supply = assignment(SUPPLY, "ITA");
    supply.span = Span { from: day("2026-10-12"), to: Some(day("2026-12-22")) };
    supply.supplies = Some(REPLACED);
    let end = Some("2027-08-31");
    directory.classes.insert(
        class("3A"),
        SchoolClass {
            site: site.clone(),
            weekly_hours: 30,
            coordinators: vec![(COORDINATOR, year())],
            assignments: vec![
                assignment(TEACHER, "ITA"),
                assignment(SECOND, "ITA"),
                assignment(THIRD, "ITA"),
                assignment(REPLACED, "ITA"),
                supply,
            ],
            timetable: vec![line(1, "ITA", TEACHER), line(2, "ITA", SECOND), line(3, "ITA", THIRD)],
            enrolments: vec![
                (P1, year()),
                (P2, year()),
                (MOVED, Span { from: day("2026-11-02"), to: Some(day("2027-08-31")) }),
            ],
        },
    );
    directory.classes.insert(
        class("4B"),
        SchoolClass {
            site,
            weekly_hours: 30,
            coordinators: Vec::new(),
            assignments: vec![assignment(TEACHER, "ITA")],
            timetable: Vec::new(),
            enrolments: vec![
                (Q1, year()),
                (MOVED, Span { from: day("2026-09-01"), to: Some(day("2026-11-01")) }),
            ],
        },
    );
    directory.pupils.insert(P1, pupil("Alfa Primo", &[("3A", "2026-09-01", end)]));
    directory.pupils.insert(P2, pupil("Beta Secondo", &[("3A", "2026-09-01", end)]));
    directory.pupils.insert(
        MOVED,
        pupil("Gamma Terza", &[("4B", "2026-09-01", Some("2026-11-01")), ("3A", "2026-11-02", end)]),
    );
    directory.pupils.insert(Q1, pupil("Delta Quarto", &[("4B", "2026-09-01", end)]));
    directory.guardians.insert(
        P1,
        vec![
            guardian(MOTHER, "Madre Alfa", GuardianRights::Complete),
            guardian(FATHER, "Padre Alfa", GuardianRights::SeesOnly),
        ],
    );
    directory.guardians.insert(P2, vec![guardian(ESTRANGED, "Lontano Beta", GuardianRights::None)]);
    directory
        .guardians
        .insert(MOVED, vec![guardian(GUARDIAN_OF_MOVED, "Tutrice Gamma", GuardianRights::Complete)]);
    directory.guardians.insert(Q1, vec![guardian(MOTHER, "Madre Alfa", GuardianRights::Complete)]);
    let details = PupilDetails {
        religion: vec![("S".to_owned(), year())],
        annual_hours: vec![(990, year())],
        previous_hours: None,
        supported_by: Vec::new(),
    };
    let mut pupils: BTreeMap<_, _> = [P1, P2, MOVED, Q1].map(|id| (id, details.clone())).into();
    pupils.get_mut(&P2).unwrap().supported_by.push((COORDINATOR, year()));
    let codes = [("D001", TEACHER), ("D002", SECOND), ("P009", OFFICE), ("MDRALF", MOTHER)]
        .map(|(code, id)| (code.to_owned(), id))
        .into();
    MemoryRegistry {
        school_id: SCHOOL,
        registered: Registered { school, directory, pupils, login: LoginFacts::default() },
        codes,
    }
}

/// Reproducible bytes, different at every draw.
pub struct Counter(pub u64);

impl Random for Counter {
    fn fill(&mut self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(32) {
            self.0 += 1;
            let digest = registro_documents::bytes::sha256(&self.0.to_be_bytes());
            chunk.copy_from_slice(&digest[..chunk.len()]);
        }
    }
}

pub fn school_key() -> SigningKey {
    SigningKey::from_seed(&Zeroizing::new([7; 32]))
}

pub fn hub_on(database: rusqlite::Connection, draw: u64, now: i64) -> Arc<Hub> {
    let hub =
        Hub::open(database, Box::new(registry()), school_key(), Box::new(Counter(draw << 32)), now).unwrap();
    Arc::new(hub)
}

pub fn hub() -> Arc<Hub> {
    hub_on(registro_hub::log::schema::open_in_memory().unwrap(), 1, morning())
}

/// A person's device.
pub struct Device {
    pub key: SigningKey,
    pub certificate: Certificate,
    pub caller: Caller,
    pub epoch: [u8; 8],
    pub directory: u64,
}

pub fn device(hub: &Hub, person: PersonId, seed: u8) -> Device {
    let key = SigningKey::from_seed(&Zeroizing::new([seed; 32]));
    let proof = key.sign(&proof_text(dev::ISSUER, SCHOOL, person, b"", b"nonce"));
    let certificate =
        hub.certify(&dev::authorized(person, "nonce".to_owned()), key.public(), &proof, morning()).unwrap();
    assert!(certificate.is_genuine(SCHOOL, hub.school_key()));
    assert!(verify(key.public(), b"", &key.sign(b"")));
    Device { key, certificate, caller: Caller::new(person, Level::L2), epoch: [seed; 8], directory: 1 }
}

/// What a command writes in a document, on which state of it.
pub struct Draft<'a> {
    pub id: DocumentId,
    pub on: &'a Document,
    pub puts: Vec<(&'static str, String, Fact)>,
}

impl Device {
    /// Makes and signs a batch.
    pub fn batch(&self, command: u8, capacity: Capacity, drafts: &[Draft<'_>]) -> Batch {
        let command = CommandId([command; 8]);
        let made: Vec<_> = drafts
            .iter()
            .map(|draft| {
                let actor = self.certificate.actor(draft.id, self.epoch);
                let puts: Vec<_> = draft
                    .puts
                    .iter()
                    .map(|(section, key, fact)| Put {
                        section: (*section).to_owned(),
                        key: key.clone(),
                        fact: Fact { v: command, capacity, ..fact.clone() },
                    })
                    .collect();
                let written = write(draft.on, actor, None, 1_700_000_000, &puts).unwrap();
                (draft.id, written)
            })
            .collect();
        self.sign(command, capacity, made.into_iter().map(|(id, w)| (id, w.hash.0, w.chunk)).collect())
    }

    pub fn sign(
        &self,
        command: CommandId,
        capacity: Capacity,
        made: Vec<(DocumentId, Hash, Vec<u8>)>,
    ) -> Batch {
        let salt = [3; 16];
        let items: Vec<_> = made.iter().map(|(id, hash, _)| (*id, *hash)).collect();
        let digest = batch_digest(&salt, &items);
        let changes = made
            .into_iter()
            .map(|(document, change, chunk)| SignedChange {
                envelope: Envelope {
                    school: self.certificate.school,
                    document,
                    change,
                    certificate: self.certificate.id(),
                    capacity,
                    command,
                    epoch: self.epoch,
                    batch: digest,
                    directory: self.directory,
                    signature: [0; 64],
                }
                .signed(&self.key),
                chunk,
            })
            .collect();
        Batch { salt, changes }
    }

    /// Pushes batches and takes all news since a cursor.
    pub fn push(&self, hub: &Hub, push: Vec<Batch>, now: i64) -> Vec<Ack> {
        let end = hub.head().unwrap();
        let request = Request { cursor: end, end, push, ..Request::default() };
        hub.sync(&self.caller, &request, now).unwrap().acks
    }

    /// Everything after a cursor, page by page.
    pub fn news(&self, hub: &Hub, mut cursor: Cursor, now: i64) -> Vec<Entry> {
        let mut entries = Vec::new();
        loop {
            let reply = self.page(hub, cursor, now);
            entries.extend(reply.feed);
            cursor = reply.cursor;
            if !reply.more {
                return entries;
            }
        }
    }

    pub fn page(&self, hub: &Hub, cursor: Cursor, now: i64) -> Reply {
        let request = Request { cursor, end: cursor, scope: [1; 32], ..Request::default() };
        hub.sync(&self.caller, &request, now).unwrap()
    }
}

pub fn fact() -> Fact {
    Fact::new(CommandId([0; 8]), Capacity::Lesson)
}

pub fn record(hub: &Hub, pupil: PersonId) -> DocumentId {
    hub.find(Kind::PupilRecord, &Subject::Person(pupil)).unwrap().unwrap()
}

pub fn month(hub: &Hub, code: &str) -> DocumentId {
    hub.find(Kind::ClassMonth, &Subject::Month(class(code), "2026-11".to_owned())).unwrap().unwrap()
}

pub fn state(hub: &Hub, id: DocumentId) -> Document {
    hub.document(id).unwrap().document
}

/// The first hour's absence of a pupil.
pub fn absence(on: &Document, id: DocumentId) -> Draft<'_> {
    absence_on(on, id, "2026-11-23")
}

pub fn absence_on<'a>(on: &'a Document, id: DocumentId, date: &str) -> Draft<'a> {
    Draft { id, on, puts: vec![("attendance", format!("{date}/absence"), fact().with("slot", 1u8))] }
}

pub fn code_of(ack: &Ack) -> Option<registro_sync::Code> {
    match ack.outcome {
        Outcome::Accepted(_) => None,
        Outcome::Not { code, .. } => Some(code),
        Outcome::TakenOver(_) => Some(registro_sync::Code::Duplicate),
    }
}

pub fn position_of(ack: &Ack) -> u64 {
    match ack.outcome {
        Outcome::Accepted(record) => record.position,
        Outcome::Not { code, reason, .. } => panic!("not accepted: {code:?} {reason:?}"),
        Outcome::TakenOver(record) => panic!("another change has its place: {record:?}"),
    }
}

/// Hashes of the changes in a feed.
pub fn changes(feed: &[Entry]) -> Vec<Hash> {
    feed.iter()
        .filter_map(|entry| match entry {
            Entry::Change { change, .. } => Some(change.envelope.change),
            _ => None,
        })
        .collect()
}
