//! Whose session it is, as the hub says, and the certificate of this device's key.

use std::sync::PoisonError;

use registro_identity::{IdentityError, LoginError, Session, SessionKeeper, enrolment};
use registro_sync::device::Account;
use registro_sync::http::HubClient;
use zeroize::Zeroizing;

use super::Profile;
use crate::blocked::note_owner;
use crate::error::{Error, ErrorKind};
use crate::registro::Registro;

impl Registro {
    /// # Errors
    /// `NotAllowed` if the store is another person's.
    pub(super) fn owned_by(&self, session: &Session) -> Result<(), Error> {
        let owner = self.device().account().map(|account| (account.school, account.person));
        match owner {
            Some(owner) if owner != (session.school, session.person) => Err(another_person()),
            _ => Ok(()),
        }
    }

    /// Sees to it that the school has certified this device's key for the person of the session, and makes the store
    /// theirs at the first login. `certify` asks for the certificate also where one is held: the hub then knows
    /// which device the session is on.
    pub(super) async fn settle(
        &self,
        hub: &HubClient,
        session: &Session,
        certify: bool,
    ) -> Result<Profile, Error> {
        let label = self.inner.device_label.as_deref();
        self.owned_by(session)?;
        let owned = self.device().account().is_some();
        match owned {
            true => {
                let key = {
                    let device = self.device();
                    let due = certify || device.needs_certificate();
                    device.account().filter(|_| due).map(Account::key)
                };
                if let Some(key) = key {
                    match enrolment::enrol(hub, session, &key, label).await {
                        Ok(certificate) => self.device().renew(certificate)?,
                        // The device was reported lost. What it holds still goes to the office, and says so.
                        Err(IdentityError::Login(LoginError::NotEntitled)) => {}
                        Err(error) => return Err(error.into()),
                    }
                }
            }
            false => {
                let seed: Zeroizing<[u8; 32]> = Zeroizing::new(self.device().draw());
                let key = registro_documents::SigningKey::from_seed(&seed);
                let certificate = enrolment::enrol(hub, session, &key, label).await?;
                let account = Account {
                    school: session.school,
                    school_key: session.school_key,
                    person: session.person,
                    seed: *seed,
                    certificate,
                };
                self.device().enrol(account)?;
            }
        }
        if let Some(lease) = &self.inner.lease {
            note_owner(lease.secrets(), session.person)?;
        }
        Ok(Profile {
            school: session.school,
            school_name: session.school_name.clone(),
            person: session.person,
            name: session.name.clone(),
            roles: session.roles.clone(),
            level: session.level,
        })
    }

    /// Before anything is asked of the hub: what a login could not do for want of a connection, a certificate that has
    /// run out, a lease that is over. A session that the hub has not named the person of is used for nothing else: the
    /// store may be somebody else's.
    pub(super) async fn settle_if_due(&self) -> Result<(), Error> {
        let Some(keeper) = self.keeper().await? else { return Ok(()) };
        let locked = self.lease_is_over();
        let due = self.device().needs_certificate();
        if !locked
            && !due
            && self.inner.settled.lock().unwrap_or_else(PoisonError::into_inner).as_deref()
                == Some(&keeper.id())
        {
            return Ok(());
        }
        let hub = self.hub();
        let session = Session::of(&hub, &keeper).await?;
        let settled = async {
            self.owned_by(&session)?;
            self.had_contact()?;
            self.settle(&hub, &session, due).await
        };
        match settled.await {
            Err(error) if error.kind == ErrorKind::NotAllowed => {
                self.set_current(None);
                keeper.logout().await?;
                Err(error)
            }
            settled => {
                settled?;
                self.set_settled(&keeper);
                Ok(())
            }
        }
    }

    pub(super) fn set_settled(&self, keeper: &SessionKeeper) {
        *self.inner.settled.lock().unwrap_or_else(PoisonError::into_inner) = Some(keeper.id());
    }
}

pub(super) fn another_person() -> Error {
    Error::new(ErrorKind::NotAllowed, "the store belongs to another person")
}
