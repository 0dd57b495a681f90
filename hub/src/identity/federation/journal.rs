//! The transaction log: what passed between the hub and providers, for 24 months, sealed.
//!
//! Source: AgID, registers of relying parties (request, answer, chain, revocation; at least 24 months); how it is
//! sealed is our choice: AES-256-GCM under a key in a file of its own, so that neither the database nor its backup
//! shows who logged in when. Access tokens and codes are not kept, only their hashes: they are worth something, and
//! prove nothing that the ID token does not.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::Months;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use rusqlite::{Connection, params};
use serde_json::Value;

use super::request::hex;
use crate::clock::{day_in_italy, start_of_day};
use crate::error::HubError;
use crate::identity::Randomness;
use crate::identity::store::IdentityStore;
use crate::keys::secret_file;

/// How long entries are kept.
const KEPT: Months = Months::new(24);
/// A chain stands once, and logins of its lifetime name it: it stays a month longer than they do.
const CHAIN_KEPT: Months = Months::new(25);

/// What an entry is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A provider's chain. Its transaction is the first half of its hash.
    Chain,
    /// A request was sent through the browser.
    Request,
    /// An answer came through the browser.
    Answer,
    /// Tokens came.
    Tokens,
    /// The userinfo came.
    Userinfo,
    /// What became of the login.
    Outcome,
    /// A token was given back.
    Revocation,
}

impl Event {
    /// Its name in the table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Chain => "chain",
            Self::Request => "request",
            Self::Answer => "answer",
            Self::Tokens => "tokens",
            Self::Userinfo => "userinfo",
            Self::Outcome => "outcome",
            Self::Revocation => "revocation",
        }
    }
}

/// An entry, opened.
#[derive(Clone, PartialEq)]
pub struct Entry {
    /// When, Unix milliseconds.
    pub at: i64,
    /// Which login, in hexadecimal digits.
    pub transaction: String,
    /// What it is about.
    pub kind: String,
    /// What passed.
    pub content: Value,
}

/// The log.
pub struct Journal {
    store: Arc<IdentityStore>,
    key: LessSafeKey,
    random: Randomness,
}

/// Where the key is: where the settings say, or in the data directory.
pub fn key_path(data: &Path, configured: Option<&Path>) -> PathBuf {
    data.join(configured.unwrap_or(Path::new("federation-log.key")))
}

fn seal_error(_: ring::error::Unspecified) -> HubError {
    HubError::Stored("an entry of the transaction log that its key does not open")
}

impl Journal {
    /// The log in a database, with its key made at the first call.
    pub fn open(store: Arc<IdentityStore>, key: &Path, random: Randomness) -> Result<Self, HubError> {
        migrate(&*store.lock()?)?;
        let bytes = secret_file(key, &mut |bytes| *bytes = random.draw())?;
        let key = UnboundKey::new(&AES_256_GCM, bytes.as_slice()).map_err(seal_error)?;
        Ok(Self { store, key: LessSafeKey::new(key), random })
    }

    /// Writes an entry.
    pub fn write(
        &self,
        transaction: [u8; 8],
        event: Event,
        content: &Value,
        at_ms: i64,
    ) -> Result<(), HubError> {
        // A random nonce of 96 bits: a school writes some millions of entries, far below the 2^32 that a key allows
        // (NIST SP 800-38D §8.3).
        let nonce: [u8; NONCE_LEN] = self.random.draw();
        let mut sealed = content.to_string().into_bytes();
        let context = Aad::from(context(transaction, event.as_str(), at_ms));
        self.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), context, &mut sealed)
            .map_err(seal_error)?;
        self.store
            .lock()?
            .prepare_cached(
                "INSERT INTO federation_log (at, transaction_id, kind, nonce, sealed) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![at_ms, transaction, event.as_str(), nonce, sealed])?;
        Ok(())
    }

    /// Writes a chain if it is not there yet, and says by which hash logins name it.
    pub fn write_chain(&self, statements: &[String], at_ms: i64) -> Result<String, HubError> {
        let hash = ring::digest::digest(&ring::digest::SHA256, statements.join("\n").as_bytes());
        let transaction: [u8; 8] =
            std::array::from_fn(|at| hash.as_ref().get(at).copied().unwrap_or_default());
        let known: bool = self
            .store
            .lock()?
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM federation_log WHERE transaction_id = ?1 AND kind = 'chain')",
            )?
            .query_row([transaction], |row| row.get(0))?;
        if !known {
            let content = serde_json::json!({ "hash": hex(hash.as_ref()), "statements": statements });
            self.write(transaction, Event::Chain, &content, at_ms)?;
        }
        Ok(hex(hash.as_ref()))
    }

    /// The entries of a time, oldest first; both ends in Unix milliseconds, the second not included.
    pub fn read(
        &self,
        from_ms: i64,
        to_ms: i64,
        each: &mut dyn FnMut(Entry) -> Result<(), HubError>,
    ) -> Result<(), HubError> {
        let database = self.store.lock()?;
        let mut query = database.prepare(
            "SELECT at, transaction_id, kind, nonce, sealed FROM federation_log
             WHERE at >= ?1 AND at < ?2 ORDER BY at, id",
        )?;
        let mut rows = query.query([from_ms, to_ms])?;
        while let Some(row) = rows.next()? {
            let (at, transaction, kind): (i64, [u8; 8], String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let mut sealed: Vec<u8> = row.get(4)?;
            let context = Aad::from(context(transaction, &kind, at));
            let opened = self
                .key
                .open_in_place(Nonce::assume_unique_for_key(row.get(3)?), context, &mut sealed)
                .map_err(seal_error)?;
            let content = serde_json::from_slice(opened)
                .map_err(|_| HubError::Stored("an entry of the transaction log that does not read"))?;
            each(Entry { at, transaction: hex(&transaction), kind, content })?;
        }
        Ok(())
    }

    /// Deletes what was kept long enough. Says how many entries that were.
    pub fn purge(&self, now_ms: i64) -> Result<usize, HubError> {
        let before = |months| day_in_italy(now_ms).checked_sub_months(months).map_or(i64::MIN, start_of_day);
        let deleted = self
            .store
            .lock()?
            .prepare_cached(
                "DELETE FROM federation_log WHERE at < CASE kind WHEN 'chain' THEN ?2 ELSE ?1 END",
            )?
            .execute([before(KEPT), before(CHAIN_KEPT)])?;
        Ok(deleted)
    }
}

fn migrate(database: &Connection) -> Result<(), HubError> {
    database.execute_batch(
        "CREATE TABLE IF NOT EXISTS federation_log (
            id INTEGER PRIMARY KEY, at INTEGER NOT NULL, transaction_id BLOB NOT NULL, kind TEXT NOT NULL,
            nonce BLOB NOT NULL, sealed BLOB NOT NULL
        ) STRICT;
        CREATE INDEX IF NOT EXISTS federation_log_at ON federation_log (at);
        CREATE INDEX IF NOT EXISTS federation_log_of ON federation_log (transaction_id);",
    )?;
    Ok(())
}

/// What an entry is bound to besides its content, so that none can be moved to another time or login.
fn context(transaction: [u8; 8], kind: &str, at_ms: i64) -> Vec<u8> {
    [&transaction, kind.as_bytes(), &at_ms.to_be_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandomness;
    use serde_json::json;

    const DAY: i64 = 24 * 3600 * 1000;

    fn journal(key: &Path) -> Journal {
        let store = Arc::new(IdentityStore::in_memory().unwrap());
        Journal::open(store, key, Randomness::new(Box::new(SystemRandomness::new()))).unwrap()
    }

    fn entries(journal: &Journal) -> Result<Vec<Entry>, HubError> {
        let mut all = Vec::new();
        journal.read(0, i64::MAX, &mut |entry| {
            all.push(entry);
            Ok(())
        })?;
        Ok(all)
    }

    #[test]
    fn entries_are_sealed_and_none_can_be_moved_or_changed() {
        let directory = tempfile::tempdir().unwrap();
        let key = key_path(directory.path(), None);
        let journal = journal(&key);
        let content = json!({ "fiscal": "CANARY" });
        journal.write([1; 8], Event::Userinfo, &content, 1_000).unwrap();
        let read = entries(&journal).unwrap();
        assert_eq!(read.len(), 1);
        assert_eq!((read[0].at, read[0].kind.as_str(), &read[0].content), (1_000, "userinfo", &content));
        let sealed: Vec<u8> = journal
            .store
            .lock()
            .unwrap()
            .query_row("SELECT sealed FROM federation_log", [], |row| row.get(0))
            .unwrap();
        assert!(!sealed.windows(6).any(|window| window == b"CANARY"));
        for change in
            ["at = at + 1", "transaction_id = x'0202020202020202'", "kind = 'answer'", "nonce = zeroblob(12)"]
        {
            journal.store.lock().unwrap().execute_batch("SAVEPOINT s").unwrap();
            journal
                .store
                .lock()
                .unwrap()
                .execute(&format!("UPDATE federation_log SET {change}"), [])
                .unwrap();
            assert!(entries(&journal).is_err(), "{change}");
            journal.store.lock().unwrap().execute_batch("ROLLBACK TO s; RELEASE s").unwrap();
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn entries_stay_for_24_months_and_no_longer() {
        let directory = tempfile::tempdir().unwrap();
        let journal = journal(&key_path(directory.path(), Some(Path::new("apart.key"))));
        assert!(directory.path().join("apart.key").exists());
        let then = start_of_day("2026-11-25".parse().unwrap());
        let hash = journal.write_chain(&["a".to_owned(), "b".to_owned()], then - 10 * DAY).unwrap();
        assert_eq!(journal.write_chain(&["a".to_owned(), "b".to_owned()], then).unwrap(), hash);
        journal.write([1; 8], Event::Outcome, &json!({ "chain": hash }), then).unwrap();
        assert_eq!(entries(&journal).unwrap().len(), 2, "a chain stands once");
        assert_eq!(journal.purge(start_of_day("2028-11-25".parse().unwrap())).unwrap(), 0);
        assert_eq!(journal.purge(start_of_day("2028-11-26".parse().unwrap())).unwrap(), 1, "the login");
        assert_eq!(journal.purge(start_of_day("2028-12-25".parse().unwrap())).unwrap(), 1, "then its chain");
    }
}
