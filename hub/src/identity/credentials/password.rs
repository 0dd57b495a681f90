//! Which passwords do. Source: NIST SP 800-63B-4 §3.1.1.2: long ones, in one normal form, none of the common; no rule of
//! composition, no change by the calendar.

use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use super::blocklist::Blocklist;

/// Fewest characters of a password that stands alone.
pub const LEAST_ALONE: usize = 15;
/// Fewest characters of a password beside a second factor.
pub const LEAST_WITH_SECOND_FACTOR: usize = 8;
/// Most characters. NIST asks for 64 at least; a limit keeps the hash from being made to work.
pub const MOST: usize = 256;

/// A password as somebody typed it, in one normal form: the same letters typed on another keyboard are the same
/// password (Unicode NFKC, NIST SP 800-63B-4 §3.1.1.2). `Debug` does not show it.
pub struct Password(Zeroizing<String>);

impl core::fmt::Debug for Password {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Password(…)")
    }
}

/// Why a password does not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordProblem {
    /// Too few characters.
    #[error("a password has at least {least} characters")]
    TooShort {
        /// The fewest that do.
        least: usize,
    },
    /// Too many characters.
    #[error("a password has at most {MOST} characters")]
    TooLong,
    /// One of the first that anybody would try.
    #[error("the password is easy to guess")]
    Guessable,
    /// The two that were typed differ.
    #[error("the two passwords differ")]
    Differs,
}

impl Password {
    /// What somebody typed. Longer than any password may be is cut: it is refused, and matches nothing.
    pub fn typed(text: &str) -> Self {
        Self(Zeroizing::new(text.chars().take(MOST + 1).nfkc().take(MOST + 1).collect()))
    }

    /// What is hashed.
    pub fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Whether it has enough characters to stand alone.
    pub fn stands_alone(&self) -> bool {
        self.0.chars().count() >= LEAST_ALONE
    }

    /// Whether it does as a new password. `own`: the words of the school and of the person.
    pub fn check(
        &self,
        second_factor: bool,
        own: &[&str],
        blocklist: &Blocklist,
    ) -> Result<(), PasswordProblem> {
        let least = if second_factor { LEAST_WITH_SECOND_FACTOR } else { LEAST_ALONE };
        match self.0.chars().count() {
            count if count < least => Err(PasswordProblem::TooShort { least }),
            count if count > MOST => Err(PasswordProblem::TooLong),
            _ if blocklist.has(&self.0, own) => Err(PasswordProblem::Guessable),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, second_factor: bool) -> Result<(), PasswordProblem> {
        Password::typed(text).check(second_factor, &[], &Blocklist::read(None).unwrap())
    }

    #[test]
    fn fifteen_characters_alone_eight_beside_a_second_factor_and_up_to_256() {
        let long = |n: usize| {
            "un tavolo viola sotto la pioggia d'autunno ".chars().cycle().take(n).collect::<String>()
        };
        assert_eq!(check(&long(14), false), Err(PasswordProblem::TooShort { least: 15 }));
        assert_eq!(check(&long(15), false), Ok(()));
        assert_eq!(check("zk4vrtp", true), Err(PasswordProblem::TooShort { least: 8 }));
        assert_eq!(check("zk4vrtpq", true), Ok(()));
        assert_eq!((check(&long(64), false), check(&long(256), false)), (Ok(()), Ok(())));
        assert_eq!(check(&long(257), false), Err(PasswordProblem::TooLong));
        assert_eq!(check(&long(100_000), false), Err(PasswordProblem::TooLong));
    }

    #[test]
    fn no_composition_is_asked_for_and_characters_count_not_bytes() {
        assert_eq!(check("tre civette sul comò", false), Ok(()));
        assert_eq!(check("日本の桜と富士山と新幹線と温泉", false), Ok(()));
    }

    #[test]
    fn the_same_letters_are_the_same_password() {
        assert_eq!(Password::typed("com\u{f2} ﬁne").bytes(), Password::typed("como\u{300} fine").bytes());
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Password::typed("segretissima")), "Password(…)");
    }
}
