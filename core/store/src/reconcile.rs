//! Holding the database and the second copy of the outbox against each other: at every opening, when the copy has
//! grown, and when a row was found that does not open.
//!
//! The database is the truth wherever it opens. What only the copy has was lost from the database: a page was
//! damaged, or a part of the write-ahead log, which SQLite then leaves out without a word.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};

use crate::error::StoreError;
use crate::quarantine;
use crate::seal::place;
use crate::second_copy::{CommandRow, Content, SecondCopy};
use crate::shared::Shared;
use crate::tables::{
    CONFIRMED, command_place, open_in_some_state, put_back_command, put_back_meta, set_aside,
};

/// Which rows are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rows {
    /// Those that the copy should have: few, so that opening stays quick.
    Unsettled,
    /// All: something was found.
    All,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Reconciled {
    /// Commands put back, or put right.
    pub restored: BTreeSet<[u8; 8]>,
    /// Commands whose rows do not open and that the copy does not have either.
    pub lost: BTreeSet<[u8; 8]>,
    /// Rows set aside of which not even the id can be told.
    pub nameless: usize,
}

/// Puts right what can be, sets aside what does not open, and makes the copy anew if it is not what it should be.
pub(crate) fn reconcile(
    connection: &mut Connection,
    copy: &mut SecondCopy,
    shared: &Shared,
    which: Rows,
) -> Result<Reconciled, StoreError> {
    let found = copy.read(&shared.keys)?;
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut done = Reconciled::default();
    let wanted = Content {
        commands: commands(&tx, shared, &found, which, &mut done)?,
        metas: metas(&tx, shared, &found, which)?,
        seals: seals(&tx, shared, &found)?,
        ..Content::default()
    };
    tx.commit()?;
    copy.needs(wanted.size());
    if wanted != found || copy.stale || copy.has_grown() {
        let kept = !found.damaged
            || quarantine::new_folder(&shared.options).is_ok_and(|folder| copy.set_aside(&folder).is_ok());
        // On a full disk it stays as it is, and is tried again after the next write.
        copy.stale = !kept || copy.rewrite(&wanted.records(&shared.keys)?).is_err();
    }
    Ok(done)
}

fn opens(shared: &Shared, id: [u8; 8], row: &CommandRow) -> bool {
    shared.keys.outbox.open(&command_place(id, row.state), &row.sealed).is_ok()
}

/// The commands that the copy should have.
fn commands(
    tx: &Transaction<'_>,
    shared: &Shared,
    found: &Content,
    which: Rows,
    done: &mut Reconciled,
) -> Result<BTreeMap<[u8; 8], CommandRow>, StoreError> {
    let mut unsettled = BTreeMap::new();
    let mut bad = BTreeSet::new();
    for (ordinal, row) in rows(tx, which)? {
        match row {
            Some((id, row)) if opens(shared, id, &row) => {
                if row.state != CONFIRMED {
                    unsettled.insert(id, row);
                }
            }
            Some((id, row)) => match open_in_some_state(&shared.keys, id, row.state, &row.sealed) {
                Some(state) => {
                    tx.execute("UPDATE outbox SET state = ?2 WHERE ordinal = ?1", (ordinal, state))?;
                    done.restored.insert(id);
                    if state != CONFIRMED {
                        unsettled.insert(id, CommandRow { state, ..row });
                    }
                }
                None => {
                    set_aside(tx, "outbox", ordinal)?;
                    bad.insert(id);
                }
            },
            None => {
                set_aside(tx, "outbox", ordinal)?;
                done.nameless += 1;
            }
        }
    }
    let mut index_lies = false;
    for (id, kept) in &found.commands {
        if unsettled.contains_key(id) {
            continue;
        }
        let there = row_of(tx, *id)?;
        match there {
            Some(row) if opens(shared, *id, &row) => {
                if row.state != CONFIRMED {
                    // The index by state does not know it: it would never be sent.
                    index_lies = true;
                    unsettled.insert(*id, row);
                }
                continue;
            }
            Some(row) => set_aside(tx, "outbox", row.ordinal)?,
            None => {}
        }
        put_back_command(tx, *id, kept)?;
        // It may stand at another place now.
        if let Some(row) = row_of(tx, *id)? {
            unsettled.insert(*id, row);
            done.restored.insert(*id);
        }
    }
    if index_lies {
        tx.execute_batch("REINDEX outbox")?;
    }
    bad.retain(|id| !done.restored.contains(id));
    done.lost = bad;
    Ok(unsettled)
}

type RawRow = (i64, Option<([u8; 8], CommandRow)>);

fn rows(tx: &Transaction<'_>, which: Rows) -> Result<Vec<RawRow>, StoreError> {
    let sql = match which {
        Rows::All => "SELECT ordinal, id, state, data FROM outbox ORDER BY ordinal",
        // Each half by the index.
        Rows::Unsettled => {
            "SELECT ordinal, id, state, data FROM outbox WHERE state < 1
             UNION ALL SELECT ordinal, id, state, data FROM outbox WHERE state > 1"
        }
    };
    let mut query = tx.prepare(sql)?;
    let mut rows = query.query([])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        let ordinal = row.get(0)?;
        let read = || Some((row.get(1).ok()?, row.get(2).ok()?, row.get(3).ok()?));
        out.push((ordinal, read().map(|(id, state, sealed)| (id, CommandRow { ordinal, state, sealed }))));
    }
    Ok(out)
}

fn row_of(tx: &Transaction<'_>, id: [u8; 8]) -> Result<Option<CommandRow>, StoreError> {
    let found = tx
        .query_row("SELECT ordinal, state, data FROM outbox WHERE id = ?1", [id.as_slice()], |row| {
            let ordinal = row.get(0)?;
            // What does not read does not open either.
            let state = row.get(1).unwrap_or(u8::MAX);
            let sealed = row.get(2).unwrap_or_default();
            Ok(CommandRow { ordinal, state, sealed })
        })
        .optional()?;
    Ok(found)
}

/// What is kept.
fn metas(
    tx: &Transaction<'_>,
    shared: &Shared,
    found: &Content,
    which: Rows,
) -> Result<BTreeMap<[u8; 16], Vec<u8>>, StoreError> {
    let sql = match which {
        Rows::All => "SELECT ordinal, name, kept, data FROM meta",
        Rows::Unsettled => "SELECT ordinal, name, kept, data FROM meta WHERE kept <> 0",
    };
    let mut kept = BTreeMap::new();
    let mut bad = Vec::new();
    {
        let mut query = tx.prepare(sql)?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let ordinal: i64 = row.get(0)?;
            let name = row.get::<_, [u8; 16]>(1);
            let sealed = row.get::<_, Vec<u8>>(3);
            match (name, sealed) {
                (Ok(name), Ok(sealed))
                    if shared.keys.meta.open(&place("meta", b"", &name), &sealed).is_ok() =>
                {
                    if row.get::<_, bool>(2).unwrap_or(true) {
                        kept.insert(name, sealed);
                    }
                }
                _ => bad.push(ordinal),
            }
        }
    }
    for ordinal in bad {
        set_aside(tx, "meta", ordinal)?;
    }
    for (name, sealed) in &found.metas {
        if !kept.contains_key(name) {
            put_back_meta(tx, name, sealed)?;
            kept.insert(*name, sealed.clone());
        }
    }
    Ok(kept)
}

/// How often the keys have sealed: the higher of what both say.
fn seals(tx: &Transaction<'_>, shared: &Shared, found: &Content) -> Result<BTreeMap<u32, u64>, StoreError> {
    let mut used = found.seals.clone();
    {
        let mut query = tx.prepare("SELECT key, used FROM seals")?;
        let rows = query.query_map([], |row| Ok((row.get::<_, u32>(0)?, row.get::<_, i64>(1)?)))?;
        for row in rows {
            let (key, count) = row?;
            let known = used.entry(key).or_default();
            *known = u64::try_from(count).unwrap_or(0).max(*known);
        }
    }
    for key in shared.keys.counted() {
        key.used_at_least(used.get(&key.id()).copied().unwrap_or(0));
    }
    for (key, count) in &used {
        tx.execute(
            "INSERT INTO seals (key, used) VALUES (?1, ?2)
             ON CONFLICT (key) DO UPDATE SET used = excluded.used WHERE used < excluded.used",
            (key, i64::try_from(*count).unwrap_or(i64::MAX)),
        )?;
    }
    Ok(used)
}
