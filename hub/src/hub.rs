//! The hub without any transport: it judges what is pushed, keeps the log, and says what a caller may read. Time
//! and randomness come from outside, so a simulation can drive it.
//!
//! | module | what |
//! |---|---|
//! | [`pushing`] | a pushed batch is judged, then accepted, kept or forgotten |
//! | [`feed`] | what a reply carries |
//! | [`own_writing`] | the hub's own facts |
//! | [`devices`] | certificates and revocations |
//! | [`handing_in`] | what devices hand in sealed |
//! | [`office`] | what the office does: end an assignment, look at kept batches |

pub mod devices;
pub mod feed;
pub mod handing_in;
pub mod office;
pub mod own_writing;
pub mod pushing;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use registro_documents::device_key::PublicKey;
use registro_documents::policy::level::needs_two_factors;
use registro_documents::{Certificate, CertificateId, DocumentIdentity, SigningKey};
use registro_model::{Date, DocumentId, PersonId, SchoolId};
use registro_sync::messages::{MAX_PUSH_CHANGES, MAX_WANT, PAGE_BYTES};
use registro_sync::{Cursor, Reply, Request};
use rusqlite::{Connection, params};

use crate::caller::Caller;
use crate::clock::day_in_italy;
use crate::documents::loaded::Certificates;
use crate::documents::{Catalogue, Shelf};
use crate::error::HubError;
use crate::gatekeeper::judging::LevelRule;
use crate::log::read;
use crate::random::Random;
use crate::registry::{Registered, Registry};
use crate::scope::Readable;
use own_writing::HubAuthor;

/// Most certificates, and most revocations, that one request may bring.
pub const MAX_CERTIFICATES: usize = 1_000;

/// A school's hub. All calls may come from any thread; they are done one after the other.
pub struct Hub {
    inner: Mutex<Inner>,
    school: SchoolId,
    school_key: Arc<SigningKey>,
    news: tokio::sync::watch::Sender<u64>,
}

impl core::fmt::Debug for Hub {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Hub").field("school", &self.school).finish_non_exhaustive()
    }
}

/// A person's scope on a day.
pub(crate) struct CachedScope {
    day: Date,
    readable: Arc<Readable>,
    digest: registro_documents::Hash,
}

pub(crate) struct Inner {
    database: Connection,
    school: SchoolId,
    key: Arc<SigningKey>,
    registry: Box<dyn Registry>,
    registered: Registered,
    version: u64,
    /// Whether facts of the directory may not be written yet: the last try failed.
    facts_due: bool,
    catalogue: Catalogue,
    shelf: Shelf,
    certificates: Certificates,
    revoked: HashMap<CertificateId, i64>,
    scopes: HashMap<PersonId, CachedScope>,
    random: Box<dyn Random>,
    author: Option<HubAuthor>,
    checkpoint_day: Option<Date>,
    page_bytes: usize,
    two_factors: LevelRule,
}

impl Hub {
    /// Opens the hub on a database whose tables exist ([`crate::log::schema::open`]), founds what is missing and
    /// writes the facts of the directory that changed.
    pub fn open(
        database: Connection,
        registry: Box<dyn Registry>,
        key: SigningKey,
        random: Box<dyn Random>,
        now_ms: i64,
    ) -> Result<Self, HubError> {
        let school = registry.school_id(&database)?;
        let version = registry.version(&database)?;
        let registered = registry.load(&database)?;
        let school_key = Arc::new(key);
        let key = Arc::clone(&school_key);
        let mut inner = Inner {
            catalogue: Catalogue::load(&database, school)?,
            certificates: devices::load_certificates(&database, school)?,
            revoked: devices::load_revoked(&database, school)?,
            shelf: Shelf::default(),
            scopes: HashMap::new(),
            author: None,
            checkpoint_day: None,
            page_bytes: PAGE_BYTES,
            two_factors: needs_two_factors,
            database,
            school,
            key,
            registry,
            registered,
            version,
            facts_due: true,
            random,
        };
        inner.write_due_facts(now_ms)?;
        let head = read::head(&inner.database, school)?;
        let (news, _) = tokio::sync::watch::channel(head.position);
        Ok(Self { inner: Mutex::new(inner), school, school_key, news })
    }

    /// The school's id.
    pub fn school_id(&self) -> SchoolId {
        self.school
    }

    /// The school's public key.
    pub fn school_key(&self) -> &PublicKey {
        self.school_key.public()
    }

    pub(crate) fn signing_key(&self) -> &SigningKey {
        &self.school_key
    }

    /// The school's name.
    pub fn school_name(&self) -> Result<String, HubError> {
        Ok(self.lock()?.registered.school.name.clone())
    }

    /// The end of the log.
    pub fn head(&self) -> Result<Cursor, HubError> {
        let inner = self.lock()?;
        read::head(&inner.database, inner.school)
    }

    /// Tells when the log has grown: the position of its end, coalesced.
    pub fn news(&self) -> tokio::sync::watch::Receiver<u64> {
        self.news.subscribe()
    }

    /// Takes over a directory that another process changed, and writes its facts. Returns whether it had changed.
    pub fn refresh(&self, now_ms: i64) -> Result<bool, HubError> {
        let mut inner = self.lock()?;
        let changed = inner.refresh(now_ms)?;
        self.poke(&inner)?;
        Ok(changed)
    }

    /// Answers a request: takes what is pushed, tells what is new. A retry of the whole request is harmless.
    pub fn sync(&self, caller: &Caller, request: &Request, now_ms: i64) -> Result<Reply, HubError> {
        let pushed: usize = request.push.iter().map(|batch| batch.changes.len()).sum();
        if pushed > MAX_PUSH_CHANGES.max(request.push.first().map_or(0, |batch| batch.changes.len())) {
            return Err(HubError::TooLarge("pushed changes"));
        }
        if request.want.len() > MAX_WANT {
            return Err(HubError::TooLarge("wanted documents"));
        }
        if request.certificates.len() > MAX_CERTIFICATES || request.revoked.len() > MAX_CERTIFICATES {
            return Err(HubError::TooLarge("certificates"));
        }
        let mut inner = self.lock()?;
        inner.refresh(now_ms)?;
        if !inner.is_own(request.cursor)? || !inner.is_own(request.end)? {
            let end = read::head(&inner.database, inner.school)?;
            return Ok(Reply { diverged: true, end, time: now_ms, ..Reply::default() });
        }
        inner.take_certificates(&request.certificates, &request.revoked, now_ms)?;
        let mut acks = Vec::with_capacity(pushed);
        for batch in &request.push {
            acks.extend(inner.push(caller, batch, now_ms)?);
        }
        let reply = inner.reply(caller, request, acks, now_ms)?;
        self.poke(&inner)?;
        Ok(reply)
    }

    /// Makes the pages of the feed smaller than [`PAGE_BYTES`], for tests that would otherwise need much data.
    pub fn limit_pages(&self, bytes: usize) -> Result<(), HubError> {
        self.lock()?.page_bytes = bytes.min(PAGE_BYTES);
        Ok(())
    }

    /// Asks for two factors elsewhere than for marks and councils: for tests, as long as nobody writes those yet.
    pub fn ask_two_factors_for(&self, rule: LevelRule) -> Result<(), HubError> {
        self.lock()?.two_factors = rule;
        Ok(())
    }

    /// A document by what it is about.
    pub fn find(
        &self,
        kind: registro_documents::Kind,
        subject: &registro_documents::Subject,
    ) -> Result<Option<DocumentId>, HubError> {
        Ok(self.lock()?.catalogue.find(kind, subject))
    }

    /// Every document of the school.
    pub fn documents(&self) -> Result<Vec<DocumentIdentity>, HubError> {
        Ok(self.lock()?.catalogue.all().cloned().collect())
    }

    /// A document with its records and authors as of the end of the log, for tests, benches and tools of the office.
    pub fn document(&self, id: DocumentId) -> Result<crate::documents::Loaded, HubError> {
        let mut inner = self.lock()?;
        let Inner { database, school, catalogue, shelf, certificates, .. } = &mut *inner;
        shelf.get(database, *school, catalogue, certificates, id).cloned()
    }

    /// A certificate by id.
    pub fn certificate(&self, id: &CertificateId) -> Result<Option<Certificate>, HubError> {
        Ok(self.lock()?.certificates.get(id).cloned())
    }

    /// The school and its people as the hub knows them now.
    pub fn registered(&self) -> Result<Registered, HubError> {
        Ok(self.lock()?.registered.clone())
    }

    /// Looks at the school and its people as the hub knows them now, without copying them.
    pub fn look<T>(&self, look: impl FnOnce(&Registered) -> T) -> Result<T, HubError> {
        Ok(look(&self.lock()?.registered))
    }

    /// The person whom the school's files know by this fiscal code.
    pub fn person_by_fiscal_code(&self, code: &str) -> Result<Option<PersonId>, HubError> {
        let inner = self.lock()?;
        inner.registry.person_by_fiscal_code(&inner.database, code)
    }

    /// The person whom the school's files know by this code.
    pub fn person_by_code(&self, code: &str) -> Result<Option<PersonId>, HubError> {
        let inner = self.lock()?;
        inner.registry.person_by_code(&inner.database, code)
    }

    /// All rows of the log after a position, at most `limit`, for tests and audits.
    pub fn log_rows(&self, after: u64, limit: usize) -> Result<Vec<read::LogRow>, HubError> {
        let inner = self.lock()?;
        read::rows_after(&inner.database, inner.school, after, limit)
    }

    /// Whether the database answers.
    pub fn is_ready(&self) -> bool {
        self.head().is_ok()
    }

    pub(crate) fn lock(&self) -> Result<MutexGuard<'_, Inner>, HubError> {
        // A panic under the lock may have left memory and database apart.
        self.inner.lock().map_err(|_| HubError::Poisoned)
    }

    pub(crate) fn poke(&self, inner: &Inner) -> Result<(), HubError> {
        let head = read::head(&inner.database, inner.school)?.position;
        self.news.send_if_modified(|known| std::mem::replace(known, head) != head);
        Ok(())
    }
}

impl Inner {
    /// Reads the directory again if its version moved, and writes its facts.
    pub(crate) fn refresh(&mut self, now: i64) -> Result<bool, HubError> {
        let version = self.registry.version(&self.database)?;
        if version == self.version {
            self.write_due_facts(now)?;
            return Ok(false);
        }
        self.registered = self.registry.load(&self.database)?;
        self.version = version;
        self.scopes.clear();
        self.facts_due = true;
        self.write_due_facts(now)?;
        Ok(true)
    }

    /// Writes the facts of the directory, if that is still to be done: after a failure it is tried again with the
    /// next request.
    fn write_due_facts(&mut self, now: i64) -> Result<(), HubError> {
        if self.facts_due {
            self.write_own_facts(now)?;
            self.facts_due = false;
        }
        Ok(())
    }

    /// Whether a cursor is of this log.
    fn is_own(&self, cursor: Cursor) -> Result<bool, HubError> {
        Ok(read::cursor_at(&self.database, self.school, cursor.position)? == Some(cursor))
    }

    /// States the chain once a day, in the transaction that moves the head first.
    pub(crate) fn checkpoint(&mut self, head: Cursor, now: i64) -> Result<(), HubError> {
        use registro_sync::notices::{Checkpoint, Signed};
        let day = day_in_italy(now);
        if self.checkpoint_day.is_none() {
            let last: Option<Vec<u8>> = rusqlite::OptionalExtension::optional(
                self.database
                    .prepare_cached(
                        "SELECT data FROM checkpoint WHERE school = ?1 ORDER BY pos DESC LIMIT 1",
                    )?
                    .query_row([self.school.0], |row| row.get(0)),
            )?;
            if let Some(last) = last {
                let last: Checkpoint = minicbor::decode(&last)
                    .map_err(|_| HubError::Stored("a checkpoint that does not decode"))?;
                self.checkpoint_day = Some(day_in_italy(last.time));
            }
        }
        if self.checkpoint_day == Some(day) {
            return Ok(());
        }
        let checkpoint =
            Checkpoint { at: head, time: now, signature: [0; 64] }.signed(self.school, &self.key);
        self.database
            .prepare_cached("INSERT OR IGNORE INTO checkpoint (school, pos, data) VALUES (?1, ?2, ?3)")?
            .execute(params![self.school.0, head.position, crate::encode(&checkpoint)])?;
        self.checkpoint_day = Some(day);
        Ok(())
    }
}
