//! Renewing the device's certificate: the same key, certified anew. What is not accepted yet is signed again; its
//! bytes stay, so nothing that rests on it moves.

use std::collections::BTreeSet;

use registro_documents::Certificate;
use registro_model::DocumentId;

use super::outbox::OutboxEntry;
use super::state::StoreOp;
use super::{Account, Device, DeviceError};
use crate::wire::encode;

impl Device {
    /// Whether the hub must certify this device's key again before it takes anything from it: the certificate has
    /// run out by the hub's clock. The next login does it; what is written meanwhile waits.
    pub fn needs_certificate(&self) -> bool {
        let now = self.school_time().div_euclid(1_000);
        self.account.as_ref().is_some_and(|account| !account.certificate.is_valid_at(now))
    }

    /// Takes a newer certificate of this device's key.
    ///
    /// # Errors
    /// [`DeviceError::Reply`] if it is not the school's, or not for this person's key.
    pub fn renew(&mut self, certificate: Certificate) -> Result<(), DeviceError> {
        let account = self.account_or_error()?;
        if !certificate.is_genuine(account.school, &account.school_key) {
            return Err(DeviceError::Reply("a certificate is not the school's"));
        }
        if certificate.person != account.person || certificate.key != account.certificate.key {
            return Err(DeviceError::Reply("a certificate is for another device"));
        }
        if certificate == account.certificate {
            return Ok(());
        }
        let renewed = self.renew_whole(certificate);
        if renewed.is_err() {
            self.reload()?;
        }
        renewed
    }

    fn renew_whole(&mut self, certificate: Certificate) -> Result<(), DeviceError> {
        let account = Account { certificate, ..self.account_or_error()?.clone() };
        let mut ops = vec![StoreOp::PutMeta("account".to_owned(), encode(&account))];
        self.account = Some(account);
        // An actor has one certificate, the first under which it wrote: what is new is written by another one.
        let headers: Vec<DocumentId> = self.headers.keys().chain(self.blind.keys()).copied().collect();
        for document in headers {
            if self.end_epoch(document) {
                ops.push(self.header_op(document));
            }
        }
        let mut touched = BTreeSet::new();
        for mut entry in std::mem::take(&mut self.pending) {
            if self.sign_again(&mut entry)? {
                touched.extend(entry.documents());
                ops.push(entry.store_op());
            }
            self.pending.push(entry);
        }
        self.cache.clear();
        self.refresh_whole(&touched, &mut ops)?;
        self.commit(ops)
    }

    /// Signs what is not accepted yet of a command under the present certificate; says whether anything was.
    pub(super) fn sign_again(&self, entry: &mut OutboxEntry) -> Result<bool, DeviceError> {
        let certificate = self.account_or_error()?.certificate.id();
        let key = self.key.as_ref().ok_or(DeviceError::NoAccount)?;
        // A batch has one certificate.
        if entry.is_accepted() || entry.changes.iter().all(|c| c.signed.envelope.certificate == certificate) {
            return Ok(false);
        }
        for change in &mut entry.changes {
            let mut envelope = change.signed.envelope.clone();
            envelope.certificate = certificate;
            change.signed.envelope = envelope.signed(key);
        }
        Ok(true)
    }
}
