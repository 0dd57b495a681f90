//! How passwords are kept: argon2id with 19 MiB, two passes, one lane and a random salt of 16 bytes. Sources: OWASP
//! Password Storage Cheat Sheet; Garante, provvedimento 594/2023 (guidelines on password storage); RFC 9106.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use super::password::Password;
use crate::error::HubError;

/// Memory of a hash in KiB.
const MEMORY: u32 = 19_456;
/// Passes.
const PASSES: u32 = 2;
/// Lanes.
const LANES: u32 = 1;

/// Hashes computed at once: with 19 MiB each they take at most 80 MB.
const AT_ONCE: usize = 4;
/// Tries that may wait for their turn; more are turned away at once, so that a flood costs no memory.
const MOST_WAITING: usize = 64;

fn argon2() -> Result<Argon2<'static>, HubError> {
    let params =
        Params::new(MEMORY, PASSES, LANES, None).map_err(|_| HubError::Stored("the hash's parameters"))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// The hash of a password, with its parameters and salt, as it is stored (PHC string).
pub fn hash(password: &Password, salt: [u8; 16]) -> Result<String, HubError> {
    let hash = argon2()?.hash_password_with_salt(password.bytes(), &salt);
    hash.map(|hash| hash.to_string()).map_err(|_| HubError::Stored("a hash that cannot be computed"))
}

/// What comparing a password with a stored hash says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verified {
    /// Another password.
    No,
    /// The password.
    Yes,
    /// The password, but the hash was made with other parameters than today's: hash it again.
    YesButOld,
}

/// Compares a password with a stored hash; with none, it takes as long and says no.
pub fn verify(password: &Password, stored: Option<&str>) -> Result<Verified, HubError> {
    let (text, is_real) = match stored {
        Some(stored) => (stored, true),
        None => (nobodys()?, false),
    };
    let parsed = PasswordHash::new(text).map_err(|_| HubError::Stored("a password's hash"))?;
    let params = Params::try_from(&parsed).map_err(|_| HubError::Stored("a password's hash"))?;
    let right = argon2()?.verify_password(password.bytes(), &parsed).is_ok();
    let today = (params.m_cost(), params.t_cost(), params.p_cost()) == (MEMORY, PASSES, LANES)
        && parsed.algorithm.as_str() == "argon2id";
    Ok(match (right && is_real, today) {
        (false, _) => Verified::No,
        (true, true) => Verified::Yes,
        (true, false) => Verified::YesButOld,
    })
}

/// A hash that no account has: who asks for a name that does not exist waits as long as for one that does.
fn nobodys() -> Result<&'static str, HubError> {
    static NOBODYS: OnceLock<String> = OnceLock::new();
    if let Some(hash) = NOBODYS.get() {
        return Ok(hash);
    }
    let hash = hash(&Password::typed("nobody"), [0; 16])?;
    Ok(NOBODYS.get_or_init(|| hash))
}

/// Runs what hashes on threads that may block, a few at a time.
#[derive(Debug)]
pub struct HashingPool {
    permits: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
}

impl Default for HashingPool {
    fn default() -> Self {
        Self { permits: Arc::new(Semaphore::new(AT_ONCE)), waiting: Arc::default() }
    }
}

/// Too many try at once: try again shortly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords are being checked at once")]
pub struct Busy;

/// Counts a waiting try as long as it lives, also if its browser goes away.
struct Waiting(Arc<AtomicUsize>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl HashingPool {
    /// Runs work when its turn comes.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, HubError> + Send + 'static,
    ) -> Result<Result<T, HubError>, Busy> {
        let before = self.waiting.fetch_add(1, Ordering::SeqCst);
        let waiting = Waiting(Arc::clone(&self.waiting));
        if before >= MOST_WAITING + AT_ONCE {
            return Err(Busy);
        }
        let Ok(permit) = Arc::clone(&self.permits).acquire_owned().await else { return Err(Busy) };
        // Both go with the work: a browser that goes away ends the request, and not what has begun.
        let work = move || {
            let _held = (permit, waiting);
            work()
        };
        Ok(tokio::task::spawn_blocking(work).await.unwrap_or(Err(HubError::Poisoned)))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_browser_that_goes_away_frees_no_room_while_its_hash_is_made() {
        let pool = Arc::new(HashingPool::default());
        let (release, wait) = std::sync::mpsc::channel::<()>();
        let (tell, began) = std::sync::mpsc::channel::<()>();
        let trying = Arc::clone(&pool);
        let browser = tokio::spawn(async move {
            let work = move || {
                let _ = tell.send(());
                let _ = wait.recv();
                Ok(())
            };
            trying.run(work).await
        });
        tokio::task::spawn_blocking(move || began.recv()).await.unwrap().unwrap();
        browser.abort();
        assert!(browser.await.unwrap_err().is_cancelled());
        assert_eq!(pool.permits.available_permits(), AT_ONCE - 1);
        release.send(()).unwrap();
        while pool.permits.available_permits() < AT_ONCE {
            tokio::task::yield_now().await;
        }
    }

    #[test]
    fn a_hash_says_how_it_was_made_and_knows_its_password() {
        let password = Password::typed("tre civette sul comò");
        let stored = hash(&password, [9; 16]).unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert_eq!(verify(&password, Some(&stored)).unwrap(), Verified::Yes);
        assert_eq!(verify(&Password::typed("tre civette"), Some(&stored)).unwrap(), Verified::No);
        assert_eq!(
            verify(&Password::typed("nobody"), None).unwrap(),
            Verified::No,
            "nobody's password is nobody's"
        );
        assert!(verify(&password, Some("rubbish")).is_err());
    }

    #[test]
    fn a_hash_of_other_parameters_is_known_and_made_again() {
        let password = Password::typed("tre civette sul comò");
        let weak = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(1_024, 1, 1, None).unwrap());
        let stored = weak.hash_password_with_salt(password.bytes(), &[9; 16]).unwrap().to_string();
        assert_eq!(verify(&password, Some(&stored)).unwrap(), Verified::YesButOld);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_flood_is_turned_away_and_leaves_room_after() {
        let pool = Arc::new(HashingPool::default());
        let (tell, told) = std::sync::mpsc::channel::<()>();
        let told = Arc::new(std::sync::Mutex::new(told));
        let tries: Vec<_> = (0..200)
            .map(|_| {
                let (pool, told) = (Arc::clone(&pool), Arc::clone(&told));
                tokio::spawn(async move {
                    pool.run(move || {
                        let _ = told.lock().map(|told| told.recv());
                        Ok(())
                    })
                    .await
                })
            })
            .collect();
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        drop(tell);
        let mut busy = 0;
        for tried in tries {
            busy += usize::from(tried.await.unwrap().is_err());
        }
        assert_eq!(busy, 200 - MOST_WAITING - AT_ONCE);
        assert!(pool.run(|| Ok(())).await.is_ok());
    }
}
