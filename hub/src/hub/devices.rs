//! Devices: their certificates and their revocation.

use std::collections::HashMap;

use chrono::{Datelike, Days, NaiveDate};
use registro_documents::bytes::Parts;
use registro_documents::device_key::{PublicKey, Signature, verify};
use registro_documents::{Certificate, CertificateId, SigningKey};
use registro_model::school::SchoolYear;
use registro_model::{DocumentId, PersonId, SchoolId};
use registro_sync::notices::{Revoked, Signed};
use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::{Hub, Inner};
use crate::caller::Authorized;
use crate::clock::{day_in_italy, start_of_day};
use crate::documents::loaded::Certificates;
use crate::error::HubError;
use crate::log::{Appender, NewRow, RowKind};

/// Most devices of one person at a time: each certificate is a row of the log for ever. Our choice.
const MOST_DEVICES: usize = 50;
/// What a row without a document has in its place.
const NO_DOCUMENT: DocumentId = DocumentId([0; 16]);

/// What a device signs to show that it holds its key: who vouches for the person, school, person, thumbprint of the
/// session's key (empty in the development login), and the hub's nonce. Source: PROTOCOL §4.
pub fn proof_text(
    issuer: &str,
    school: SchoolId,
    person: PersonId,
    thumbprint: &[u8],
    nonce: &[u8],
) -> Vec<u8> {
    Parts::new("registro/device/1")
        .part(issuer.as_bytes())
        .part(school.as_bytes())
        .part(person.as_bytes())
        .part(thumbprint)
        .part(nonce)
        .into_bytes()
}

/// A certificate from the day before to 31 October following the school year.
pub(super) fn certificate_for(
    school_key: &SigningKey,
    school: SchoolId,
    person: PersonId,
    key: PublicKey,
    year: &SchoolYear,
    now: i64,
) -> Certificate {
    let yesterday = day_in_italy(now).checked_sub_days(Days::new(1)).map_or(0, start_of_day);
    let year_after = NaiveDate::from_ymd_opt(year.end.year(), 11, 1).map_or(i64::MAX, start_of_day);
    let (from, to) = (yesterday.div_euclid(1_000), year_after.div_euclid(1_000) - 1);
    Certificate::issue(school_key, school, person, key, from, to)
}

impl Hub {
    /// Certifies a device's key for a person. The same key of the same person gets the same certificate again while
    /// it is valid.
    ///
    /// # Errors
    /// [`HubError::Forbidden`] if the proof does not hold, the key is another person's, or it was revoked.
    pub fn certify(
        &self,
        authorized: &Authorized,
        key: &PublicKey,
        proof: &Signature,
        now_ms: i64,
    ) -> Result<Certificate, HubError> {
        let Authorized { issuer, thumbprint, nonce, .. } = authorized;
        let person = authorized.caller.person;
        let mut inner = self.lock()?;
        let text = proof_text(issuer, inner.school, person, thumbprint, nonce.as_bytes());
        if !verify(key, &text, proof) {
            return Err(HubError::Forbidden("the proof of the device key does not hold"));
        }
        let of_key: Vec<_> = inner.certificates.values().filter(|known| known.key == *key).collect();
        if of_key.iter().any(|known| known.person != person) {
            return Err(HubError::Forbidden("the device key is another person's"));
        }
        // Whichever of its certificates was revoked, the device was.
        if of_key.iter().any(|known| inner.revoked.contains_key(&known.id())) {
            return Err(HubError::Forbidden("the device was revoked"));
        }
        if let Some(valid) = of_key.iter().find(|known| known.is_valid_at(now_ms.div_euclid(1_000))) {
            return Ok((*valid).clone());
        }
        let now = now_ms.div_euclid(1_000);
        let valid = |known: &&Certificate| {
            known.person == person && known.is_valid_at(now) && !inner.revoked.contains_key(&known.id())
        };
        if inner.certificates.values().filter(valid).count() >= MOST_DEVICES {
            return Err(HubError::Forbidden("too many devices of one person"));
        }
        let certificate =
            certificate_for(&inner.key, inner.school, person, *key, &inner.registered.school.year, now_ms);
        inner.take_certificate(&certificate, now_ms)?;
        self.poke(&inner)?;
        Ok(certificate)
    }

    /// Revokes a device that was certified for this person, also where a restored register has forgotten that: a device
    /// would bring the certificate back.
    pub fn revoke_certified(
        &self,
        certificate: &CertificateId,
        person: PersonId,
        now_ms: i64,
    ) -> Result<(), HubError> {
        let mut inner = self.lock()?;
        if inner.certificates.get(certificate).is_some_and(|known| known.person != person) {
            return Err(HubError::Unknown("device"));
        }
        inner.take_revocation(certificate, now_ms, now_ms)?;
        self.poke(&inner)
    }

    /// Revokes a device: what it sends from now on is refused and kept for the office.
    pub fn revoke(&self, certificate: &CertificateId, now_ms: i64) -> Result<(), HubError> {
        let mut inner = self.lock()?;
        if !inner.certificates.contains_key(certificate) {
            return Err(HubError::Unknown("device"));
        }
        inner.take_revocation(certificate, now_ms, now_ms)?;
        self.poke(&inner)
    }
}

impl Inner {
    /// Takes what a restored hub may lack: certificates that this school issued, revocations that it signed.
    pub(super) fn take_certificates(
        &mut self,
        certificates: &[Certificate],
        revoked: &[Revoked],
        now: i64,
    ) -> Result<(), HubError> {
        for certificate in certificates {
            if !self.certificates.contains_key(&certificate.id())
                && certificate.is_genuine(self.school, self.key.public())
            {
                self.take_certificate(certificate, now)?;
            }
        }
        for notice in revoked {
            if !self.revoked.contains_key(&notice.certificate)
                && notice.is_signed_by(self.school, self.key.public())
            {
                self.take_revocation(&notice.certificate, notice.received, now)?;
            }
        }
        Ok(())
    }

    fn take_certificate(&mut self, certificate: &Certificate, now: i64) -> Result<(), HubError> {
        let transaction = Transaction::new_unchecked(&self.database, TransactionBehavior::Immediate)?;
        let mut appender = Appender::begin(&transaction, self.school)?;
        append_certificate(&mut appender, &transaction, certificate, now)?;
        let head = appender.finish()?;
        transaction.commit()?;
        self.certificates.insert(certificate.id(), certificate.clone());
        self.checkpoint(head, now)
    }

    fn take_revocation(&mut self, certificate: &CertificateId, since: i64, now: i64) -> Result<(), HubError> {
        if self.revoked.contains_key(certificate) {
            return Ok(());
        }
        let person = self.certificates.get(certificate).map_or(PersonId([0; 16]), |known| known.person);
        let transaction = Transaction::new_unchecked(&self.database, TransactionBehavior::Immediate)?;
        let mut appender = Appender::begin(&transaction, self.school)?;
        let notice = Revoked {
            position: appender.next_position(),
            certificate: *certificate,
            received: since,
            signature: [0; 64],
        }
        .signed(self.school, &self.key);
        let position = appender.push(&NewRow {
            kind: RowKind::Revoked,
            document: NO_DOCUMENT,
            hash: *certificate,
            author: person,
            weight: None,
            received: now,
            data: &crate::encode(&notice),
        })?;
        transaction
            .prepare_cached(
                "INSERT INTO revoked (school, certificate, pos, received) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![self.school.0, certificate, position, since])?;
        let head = appender.finish()?;
        transaction.commit()?;
        self.revoked.insert(*certificate, since);
        self.checkpoint(head, now)
    }
}

/// Logs a certificate.
pub(super) fn append_certificate(
    appender: &mut Appender<'_>,
    transaction: &Connection,
    certificate: &Certificate,
    now: i64,
) -> Result<(), HubError> {
    let (id, data) = (certificate.id(), crate::encode(certificate));
    appender.begin_batch();
    let position = appender.push(&NewRow {
        kind: RowKind::Certificate,
        document: NO_DOCUMENT,
        hash: id,
        author: certificate.person,
        weight: None,
        received: now,
        data: &data,
    })?;
    transaction
        .prepare_cached(
            "INSERT INTO certificate (school, id, person, pos, data) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![certificate.school.0, id, certificate.person.0, position, data])?;
    Ok(())
}

pub(super) fn load_certificates(database: &Connection, school: SchoolId) -> Result<Certificates, HubError> {
    let mut statement = database.prepare("SELECT data FROM certificate WHERE school = ?1")?;
    let rows = statement.query_map([school.0], |row| row.get::<_, Vec<u8>>(0))?;
    let mut certificates = Certificates::new();
    for row in rows {
        let certificate: Certificate =
            minicbor::decode(&row?).map_err(|_| HubError::Stored("a certificate that does not decode"))?;
        certificates.insert(certificate.id(), certificate);
    }
    Ok(certificates)
}

pub(super) fn load_revoked(
    database: &Connection,
    school: SchoolId,
) -> Result<HashMap<CertificateId, i64>, HubError> {
    let mut statement = database.prepare("SELECT certificate, received FROM revoked WHERE school = ?1")?;
    let rows = statement.query_map([school.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
