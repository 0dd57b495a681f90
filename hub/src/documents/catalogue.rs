//! Every document of the school, by id and by what it is about.

use std::collections::{BTreeMap, HashMap};

use registro_documents::{DocumentIdentity, Kind, Subject};
use registro_model::{DocumentId, SchoolId};
use rusqlite::{Connection, params};

use crate::error::HubError;

/// A document of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub identity: DocumentIdentity,
    /// Position of its last accepted change; 0 if nobody wrote to it.
    pub last_position: u64,
}

/// All documents of the school's current year, the newest generation of each by subject.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    by_id: HashMap<DocumentId, Entry>,
    by_subject: BTreeMap<(Kind, Subject), DocumentId>,
}

impl Catalogue {
    /// Reads the catalogue.
    pub fn load(database: &Connection, school: SchoolId) -> Result<Self, HubError> {
        let mut statement = database
            .prepare("SELECT doc, kind, subject, year, generation, last_pos FROM doc WHERE school = ?1 ORDER BY generation")?;
        let rows = statement.query_map([school.0], |row| {
            Ok((
                DocumentId(row.get(0)?),
                row.get::<_, usize>(1)?,
                row.get::<_, String>(2)?,
                row.get::<_, String>(3)?,
                row.get::<_, u32>(4)?,
                row.get::<_, u64>(5)?,
            ))
        })?;
        let mut catalogue = Self::default();
        for row in rows {
            let (id, kind, subject, year, generation, last_position) = row?;
            let kind = *Kind::ALL.get(kind).ok_or(HubError::Stored("an unknown kind of document"))?;
            let subject =
                subject.parse().map_err(|_| HubError::Stored("an unknown subject of a document"))?;
            catalogue.insert(Entry {
                identity: DocumentIdentity { id, kind, subject, year, generation },
                last_position,
            });
        }
        Ok(catalogue)
    }

    fn insert(&mut self, entry: Entry) {
        let identity = &entry.identity;
        self.by_subject.insert((identity.kind, identity.subject.clone()), identity.id);
        self.by_id.insert(identity.id, entry);
    }

    /// Founds a document: it exists from here on as its genesis.
    pub fn found(
        &mut self,
        transaction: &Connection,
        school: SchoolId,
        identity: DocumentIdentity,
    ) -> Result<(), HubError> {
        transaction
            .prepare_cached(
                "INSERT INTO doc (school, doc, kind, subject, year, generation, last_pos) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0)",
            )?
            .execute(params![
                school.0,
                identity.id.0,
                identity.kind as i64,
                identity.subject.to_string(),
                identity.year,
                identity.generation
            ])?;
        self.insert(Entry { identity, last_position: 0 });
        Ok(())
    }

    /// A document by id.
    pub fn get(&self, id: DocumentId) -> Option<&Entry> {
        self.by_id.get(&id)
    }

    /// A document by what it is about.
    pub fn find(&self, kind: Kind, subject: &Subject) -> Option<DocumentId> {
        self.by_subject.get(&(kind, subject.clone())).copied()
    }

    /// All documents of a kind, in order of their subjects.
    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = (&Subject, DocumentId)> {
        self.by_subject
            .range((kind, Subject::School)..)
            .take_while(move |((k, _), _)| *k == kind)
            .map(|((_, subject), id)| (subject, *id))
    }

    /// Every document, in order of kind and subject.
    pub fn all(&self) -> impl Iterator<Item = &DocumentIdentity> {
        self.by_subject.values().filter_map(|id| self.by_id.get(id)).map(|entry| &entry.identity)
    }

    /// How many documents there are.
    pub fn len(&self) -> usize {
        self.by_subject.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_subject.is_empty()
    }

    /// Notes a document's last position in memory.
    pub(crate) fn note_last(&mut self, id: DocumentId, position: u64) {
        if let Some(entry) = self.by_id.get_mut(&id) {
            entry.last_position = position;
        }
    }
}

/// Writes a document's last position.
pub fn write_last(
    transaction: &Connection,
    school: SchoolId,
    document: DocumentId,
    position: u64,
) -> Result<(), HubError> {
    transaction
        .prepare_cached("UPDATE doc SET last_pos = ?3 WHERE school = ?1 AND doc = ?2")?
        .execute(params![school.0, document.0, position])?;
    Ok(())
}
