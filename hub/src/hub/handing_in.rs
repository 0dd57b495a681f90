//! What devices hand in sealed, kept as it comes.

use registro_documents::CertificateId;
use registro_documents::bytes::sha256;
use registro_documents::device_key::{Signature, verify};
use registro_model::PersonId;
use rusqlite::{OptionalExtension, params};

use super::Hub;
use crate::error::HubError;
use crate::outbox::{MAX_BYTES_A_DAY, handing_in_text};

const DAY_MS: i64 = 24 * 3_600_000;

/// Something that was handed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandedIn {
    /// Its number.
    pub id: i64,
    /// Who handed it in. Whose work it is, its signed changes say.
    pub person: PersonId,
    /// When, Unix milliseconds.
    pub received: i64,
    /// Its size in bytes.
    pub bytes: usize,
}

impl Hub {
    /// The person whose device signed this, revoked or not, of a certificate that may have ended.
    ///
    /// # Errors
    /// [`HubError::Forbidden`] if the certificate is unknown or its key did not sign.
    pub fn who_hands_in(
        &self,
        certificate: &CertificateId,
        sealed: &[u8],
        signature: &Signature,
    ) -> Result<PersonId, HubError> {
        let text = handing_in_text(self.school_id(), certificate, sealed);
        // The lock is not held while a stranger's megabyte is looked at.
        let known = self.certificate(certificate)?.filter(|known| verify(&known.key, &text, signature));
        known
            .map(|known| known.person)
            .ok_or(HubError::Forbidden("what is handed in is signed by no device of the school"))
    }

    /// Keeps something for the office. The same again is kept once.
    ///
    /// # Errors
    /// [`HubError::TooLarge`] if the person has handed in too much within a day.
    pub fn hand_in(&self, person: PersonId, sealed: &[u8], now_ms: i64) -> Result<(), HubError> {
        let inner = self.lock()?;
        let hash = sha256(sealed);
        let sql = "SELECT coalesce(sum(length(data)), 0), coalesce(max(hash = ?4), 0) FROM handed_in
                   WHERE school = ?1 AND person = ?2 AND received > ?3";
        let known = params![inner.school.0, person.0, now_ms - DAY_MS, hash];
        let (held, again) = inner
            .database
            .prepare_cached(sql)?
            .query_row(known, |row| Ok((row.get::<_, usize>(0)?, row.get::<_, bool>(1)?)))?;
        if again {
            return Ok(());
        }
        if held + sealed.len() > MAX_BYTES_A_DAY {
            return Err(HubError::TooLarge("what is handed in within a day"));
        }
        inner
            .database
            .prepare_cached(
                "INSERT INTO handed_in (school, person, received, hash, data) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (school, person, hash) DO NOTHING",
            )?
            .execute(params![inner.school.0, person.0, now_ms, hash, sealed])?;
        Ok(())
    }

    /// What was handed in, newest first.
    pub fn handed_in(&self) -> Result<Vec<HandedIn>, HubError> {
        let inner = self.lock()?;
        let mut statement = inner.database.prepare_cached(
            "SELECT id, person, received, length(data) FROM handed_in WHERE school = ?1 ORDER BY id DESC",
        )?;
        let rows = statement.query_map([inner.school.0], |row| {
            Ok(HandedIn {
                id: row.get(0)?,
                person: PersonId(row.get(1)?),
                received: row.get(2)?,
                bytes: row.get(3)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Something that was handed in, as it came.
    pub fn handed_in_bytes(&self, id: i64) -> Result<Option<Vec<u8>>, HubError> {
        let inner = self.lock()?;
        Ok(inner
            .database
            .prepare_cached("SELECT data FROM handed_in WHERE school = ?1 AND id = ?2")?
            .query_row(params![inner.school.0, id], |row| row.get(0))
            .optional()?)
    }
}
