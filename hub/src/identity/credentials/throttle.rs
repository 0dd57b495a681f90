//! How fast somebody may guess: per user name, not per address, because classes share one and attackers have many.
//!
//! After the first failure one second must pass before the next try, then two, four, … up to a quarter of an hour.
//! After 100 failures in a row only a reset helps (NIST SP 800-63B-4 §3.2.2). A reset works meanwhile: who floods an
//! account with wrong passwords cannot keep its owner out. Names that do not exist are throttled alike, so that the
//! answer tells nobody which do.

use rusqlite::{Connection, OptionalExtension, params};

use crate::error::HubError;

/// Failures in a row after which only a reset helps. Source: NIST SP 800-63B-4 §3.2.2.
pub const MOST_FAILURES: u32 = 100;
/// Longest pause. Our choice: doubling on would lock the owner out for days.
const LONGEST_MS: i64 = 15 * 60_000;
/// How long failures of a name that does not exist are remembered. Our choice.
const UNKNOWN_MS: i64 = 30 * 24 * 3_600_000;
/// Names that do not exist, remembered at once.
const MAX_UNKNOWN: i64 = 100_000;

/// Whether somebody may try now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// Yes; it counts as a failure until it is cleared.
    Go,
    /// Not yet.
    Wait {
        /// After so many seconds.
        seconds: u64,
    },
    /// No more: only a reset helps.
    Spent,
}

/// The pause after so many failures in a row, in milliseconds.
fn pause_ms(failures: u32) -> i64 {
    match failures {
        0 => 0,
        failures => 1_000_i64
            .checked_shl(failures - 1)
            .filter(|ms| (1..LONGEST_MS).contains(ms))
            .unwrap_or(LONGEST_MS),
    }
}

/// Takes one try. It counts as a failure at once: tries that run side by side are not free.
pub fn take(
    database: &Connection,
    subject: &[u8; 32],
    known: bool,
    now_ms: i64,
) -> Result<Attempt, HubError> {
    let row: Option<(u32, i64)> = database
        .prepare_cached("SELECT failures, next FROM credential_throttle WHERE subject = ?1")?
        .query_row([subject], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (failures, next) = row.unwrap_or((0, 0));
    if failures >= MOST_FAILURES {
        return Ok(Attempt::Spent);
    }
    if now_ms < next {
        let seconds = u64::try_from((next - now_ms + 999) / 1_000).unwrap_or(1);
        return Ok(Attempt::Wait { seconds });
    }
    let failures = failures + 1;
    database
        .prepare_cached(
            "INSERT INTO credential_throttle (subject, failures, next, last, known) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (subject) DO UPDATE SET failures = excluded.failures, next = excluded.next,
                 last = excluded.last, known = excluded.known",
        )?
        .execute(params![subject, failures, now_ms + pause_ms(failures), now_ms, known])?;
    Ok(Attempt::Go)
}

/// Forgets the failures: it was right, or a reset took place.
pub fn clear(database: &Connection, subject: &[u8; 32]) -> Result<(), HubError> {
    database.prepare_cached("DELETE FROM credential_throttle WHERE subject = ?1")?.execute([subject])?;
    Ok(())
}

/// Forgets names that do not exist.
pub fn sweep(database: &Connection, now_ms: i64) -> Result<(), HubError> {
    database
        .prepare_cached("DELETE FROM credential_throttle WHERE known = 0 AND last <= ?1")?
        .execute([now_ms - UNKNOWN_MS])?;
    database
        .prepare_cached(
            "DELETE FROM credential_throttle WHERE known = 0 AND last <= (
                 SELECT last FROM credential_throttle WHERE known = 0 ORDER BY last DESC LIMIT 1 OFFSET ?1)",
        )?
        .execute([MAX_UNKNOWN])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::credentials::tables;
    use crate::identity::store::IdentityStore;

    #[test]
    fn the_pause_doubles_from_a_second_to_a_quarter_of_an_hour() {
        let pauses: Vec<i64> = (0..14).map(|failures| pause_ms(failures) / 1_000).collect();
        assert_eq!(pauses, [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]);
        assert_eq!((pause_ms(64), pause_ms(100)), (LONGEST_MS, LONGEST_MS));
    }

    #[test]
    fn a_hundred_failures_in_a_row_and_no_more_and_clearing_begins_anew() {
        let store = IdentityStore::in_memory().unwrap();
        tables::migrate(&store).unwrap();
        let database = store.lock().unwrap();
        let (subject, mut now) = ([1; 32], 1_000_000);
        for _ in 0..MOST_FAILURES {
            assert_eq!(take(&database, &subject, true, now).unwrap(), Attempt::Go);
            assert!(matches!(
                take(&database, &subject, true, now).unwrap(),
                Attempt::Wait { .. } | Attempt::Spent
            ));
            now += LONGEST_MS;
        }
        assert_eq!(take(&database, &subject, true, now + LONGEST_MS).unwrap(), Attempt::Spent);
        assert_eq!(take(&database, &[2; 32], false, now).unwrap(), Attempt::Go, "others are not affected");
        clear(&database, &subject).unwrap();
        assert_eq!(take(&database, &subject, true, now).unwrap(), Attempt::Go);
    }

    #[test]
    fn failures_of_accounts_are_kept_and_those_of_nobody_forgotten_in_time() {
        let store = IdentityStore::in_memory().unwrap();
        tables::migrate(&store).unwrap();
        let database = store.lock().unwrap();
        take(&database, &[1; 32], true, 0).unwrap();
        take(&database, &[2; 32], false, 0).unwrap();
        sweep(&database, UNKNOWN_MS).unwrap();
        let kept: i64 =
            database.query_row("SELECT count(*) FROM credential_throttle", [], |row| row.get(0)).unwrap();
        assert_eq!(kept, 1);
    }
}
