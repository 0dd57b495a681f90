//! Tokens to be given back (RFC 7009). Signing out works without a connection: what the server has to hear is kept
//! sealed, with the key that it is bound to, until it has heard it.

use super::Shared;
use super::records::Owed;
use crate::error::LoginError;

impl Shared {
    /// Puts tokens on the list. Whoever calls this has the turn.
    pub(super) async fn owe(&self, owed: Vec<Owed>) -> Result<(), LoginError> {
        if owed.is_empty() {
            return Ok(());
        }
        let mut list = self.records.owed().await?;
        list.extend(owed);
        self.records.set_owed(&list).await
    }

    /// Gives back what is on the list. Says whether the server took all of it; what it refuses is not tried again.
    ///
    /// # Errors
    /// Those of reaching the server: what is left stays on the list.
    pub(super) async fn give_back(&self) -> Result<bool, LoginError> {
        let mut all_taken = true;
        loop {
            let Some(owed) = self.records.owed().await?.into_iter().next() else { return Ok(all_taken) };
            let metadata = self.server.metadata().await?;
            let taken = match &metadata.revocation_endpoint {
                None => false,
                Some(endpoint) => self.send_back(endpoint, &owed).await?,
            };
            all_taken &= taken;
            if owed.delete_key {
                self.server.proofs.delete(&owed.alias).await?;
                self.server.proofs.forget(&owed.alias);
            }
            let _turn = self.records.turn().await;
            let mut list = self.records.owed().await?;
            list.retain(|other| other.token.reveal() != owed.token.reveal());
            self.records.set_owed(&list).await?;
        }
    }

    async fn send_back(&self, endpoint: &str, owed: &Owed) -> Result<bool, LoginError> {
        let with = |alias| self.server.revoke(endpoint, alias, &owed.token, owed.is_refresh);
        match with(Some(&owed.alias)).await {
            // RFC 7009 asks for no proof: a token can be given back when its key is gone.
            Err(LoginError::KeyLost) => with(None).await,
            answer => answer,
        }
    }
}
