//! Imported rows, by kind and key. Importing again changes only what changed; a row that is missing from a later
//! import removes nothing and is a warning.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;

use crate::error::HubError;
use crate::import::ImportedSchool;
use crate::import::people::PupilRow;

/// What an import changed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ApplyReport {
    /// Rows that are new.
    pub inserted: usize,
    /// Rows that differ from before.
    pub changed: usize,
    /// Rows as before.
    pub unchanged: usize,
    /// Rows of earlier imports that these files do not have, as (kind, key). They stay.
    pub missing: Vec<(String, String)>,
}

type Rows = BTreeMap<(&'static str, String), String>;

fn put<T: Serialize>(rows: &mut Rows, kind: &'static str, key: String, value: &T) -> Result<(), HubError> {
    let value = serde_json::to_string(value).map_err(|_| HubError::Stored("an imported row"))?;
    rows.insert((kind, key), value);
    Ok(())
}

fn rows_of(school: &ImportedSchool) -> Result<Rows, HubError> {
    let mut rows = Rows::new();
    put(&mut rows, "school", String::new(), &school.school)?;
    for row in &school.closures {
        let key =
            format!("{}/{}/{}/{}", row.from, row.to, row.status, row.site.as_deref().unwrap_or_default());
        put(&mut rows, "closure", key, row)?;
    }
    for row in &school.slots {
        put(&mut rows, "slot", format!("{}/{}/{}", row.site, row.weekday, row.position), row)?;
    }
    for row in &school.subjects {
        put(&mut rows, "subject", row.code.clone(), row)?;
    }
    for row in &school.staff {
        put(&mut rows, "staff", row.code.clone(), row)?;
    }
    for row in &school.classes {
        put(&mut rows, "class", row.code.clone(), row)?;
    }
    for row in &school.pupils {
        put(&mut rows, "pupil", row.number.clone(), row)?;
    }
    for row in &school.groups {
        put(&mut rows, "group", row.code.clone(), row)?;
    }
    for row in &school.assignments {
        let optional = |text: &Option<String>| text.clone().unwrap_or_default();
        let key = [
            row.teacher.clone(),
            row.class.clone(),
            optional(&row.group),
            row.subject.clone(),
            row.kind.clone(),
            optional(&row.pupil),
            optional(&row.supplies),
            row.from.to_string(),
        ];
        put(&mut rows, "assignment", key.join("/"), row)?;
    }
    for row in &school.timetable {
        let group = row.group.as_deref().unwrap_or_default();
        let key =
            format!("{}/{}/{}/{}/{}/{group}", row.class, row.weekday, row.slot, row.subject, row.teacher);
        put(&mut rows, "timetable", key, row)?;
    }
    Ok(rows)
}

/// Takes an import into the tables, inside the caller's transaction. `random` mints ids.
pub fn apply(
    database: &Connection,
    school: &ImportedSchool,
    random: &mut dyn FnMut(&mut [u8]),
) -> Result<ApplyReport, HubError> {
    super::migrate(database)?;
    let known: Option<Vec<u8>> =
        database.query_row("SELECT school FROM school_identity", [], |row| row.get(0)).optional()?;
    if known.is_none() {
        let mut id = [0; 16];
        random(&mut id);
        database.execute("INSERT INTO school_identity (one, school) VALUES (1, ?1)", [id.as_slice()])?;
    }
    let mut report = ApplyReport::default();
    let mut before: BTreeMap<(String, String), String> = BTreeMap::new();
    let mut query = database.prepare("SELECT kind, key, value FROM imported")?;
    for row in query.query_map([], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?)))? {
        let (key, value) = row?;
        before.insert(key, value);
    }
    drop(query);
    for ((kind, key), mut value) in rows_of(school)? {
        if kind == "pupil"
            && let Some(old) = before.get(&(kind.to_owned(), key.clone()))
            && let Some(kept) = keep_moves(old, &value, &mut report)?
        {
            value = kept;
        }
        match before.remove(&(kind.to_owned(), key.clone())) {
            Some(old) if old == value => {
                report.unchanged += 1;
                continue;
            }
            Some(_) => report.changed += 1,
            None => report.inserted += 1,
        }
        database.execute(
            "INSERT INTO imported (kind, key, value) VALUES (?1, ?2, ?3)
             ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value",
            params![kind, key, value],
        )?;
    }
    report.missing.extend(before.into_keys());
    mint(database, school, random)?;
    if report.inserted + report.changed > 0 {
        super::raise_version(database)?;
    }
    Ok(report)
}

/// A pupil's row of an import that lacks a move of an earlier one: the classes stay as they were. `None` if it lacks
/// none.
fn keep_moves(old: &str, new: &str, report: &mut ApplyReport) -> Result<Option<String>, HubError> {
    let stored = |_| HubError::Stored("an imported row");
    let old: PupilRow = serde_json::from_str(old).map_err(stored)?;
    let mut new: PupilRow = serde_json::from_str(new).map_err(stored)?;
    let missing: Vec<_> = old.moves.iter().filter(|entry| !new.moves.contains(entry)).collect();
    if missing.is_empty() {
        return Ok(None);
    }
    report.missing.extend(missing.iter().map(|entry| ("move".to_owned(), format!("{}/{entry}", old.number))));
    (new.enrolments, new.previous_hours, new.moves) = (old.enrolments, old.previous_hours, old.moves);
    serde_json::to_string(&new).map(Some).map_err(stored)
}

/// Gives every person one id, however many codes they are known by: a teacher who is a parent is one person, by
/// the fiscal code.
fn mint(
    database: &Connection,
    school: &ImportedSchool,
    random: &mut dyn FnMut(&mut [u8]),
) -> Result<(), HubError> {
    let staff = school.staff.iter().map(|row| (Some(row.code.as_str()), row.fiscal_code.as_str()));
    let numbers: Vec<String> = school.pupils.iter().map(|row| super::pupil_code(&row.number)).collect();
    let pupils = school.pupils.iter().zip(&numbers);
    let pupils = pupils.map(|(row, number)| (Some(number.as_str()), row.fiscal_code.as_str()));
    let guardians =
        school.pupils.iter().flat_map(|row| &row.guardians).map(|row| (None, row.fiscal_code.as_str()));
    let mut find = database.prepare("SELECT id FROM person WHERE code = ?1")?;
    let mut insert = database.prepare("INSERT OR IGNORE INTO person (code, id) VALUES (?1, ?2)")?;
    for (code, fiscal_code) in staff.chain(pupils).chain(guardians) {
        let mut by = |code: &str| find.query_row([code], |row| row.get::<_, Vec<u8>>(0)).optional();
        let known = match code {
            Some(code) => by(code)?,
            None => None,
        };
        let id = match known {
            Some(id) => id,
            None => match by(fiscal_code)? {
                Some(id) => id,
                None => {
                    let mut id = [0; 16];
                    random(&mut id);
                    id.to_vec()
                }
            },
        };
        for code in code.into_iter().chain([fiscal_code]) {
            insert.execute(params![code, id])?;
        }
    }
    Ok(())
}
