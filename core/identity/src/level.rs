//! How surely somebody showed who they are (*livello*).

use serde::{Deserialize, Serialize};

const SPID: &str = "https://www.spid.gov.it/SpidL";

/// The three levels of SPID and CIE. Source: AgID, SPID OpenID Connect guidelines, `acr_values`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Level {
    /// One factor: a password.
    L1 = 1,
    /// Two factors: marks and councils need it.
    L2 = 2,
    /// Two factors, one of which is a card or the like.
    L3 = 3,
}

impl Level {
    /// The level of that number.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::L1),
            2 => Some(Self::L2),
            3 => Some(Self::L3),
            _ => None,
        }
    }

    /// Its number.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// As it stands in `acr`.
    pub const fn acr(self) -> &'static str {
        match self {
            Self::L1 => "https://www.spid.gov.it/SpidL1",
            Self::L2 => "https://www.spid.gov.it/SpidL2",
            Self::L3 => "https://www.spid.gov.it/SpidL3",
        }
    }

    /// Reads an `acr`.
    pub fn from_acr(acr: &str) -> Option<Self> {
        acr.strip_prefix(SPID)?.parse().ok().and_then(Self::from_number)
    }
}

/// Whether a login of this `acr` is as good as the one that was asked for. SPID's levels are compared as numbers; of
/// other names nobody knows the order, so that only the very same will do (OpenID Connect Core §2, `acr`).
pub fn reaches(reached: Option<&str>, wanted: &str) -> bool {
    let Some(reached) = reached else { return false };
    match (Level::from_acr(reached), Level::from_acr(wanted)) {
        (Some(reached), Some(wanted)) => reached >= wanted,
        _ => reached == wanted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_compared_as_numbers_and_other_names_as_they_are() {
        let acr = |number| Level::from_number(number).map(Level::acr);
        for reached in 1..=3 {
            for wanted in 1..=3 {
                assert_eq!(reaches(acr(reached), acr(wanted).unwrap()), reached >= wanted);
            }
        }
        assert!(!reaches(None, Level::L1.acr()));
        assert!(reaches(Some("urn:silver"), "urn:silver") && !reaches(Some("urn:gold"), "urn:silver"));
        for odd in ["https://www.spid.gov.it/SpidL4", "https://www.spid.gov.it/SpidL", "SpidL3", "3", ""] {
            assert!(!reaches(Some(odd), Level::L1.acr()), "{odd}");
        }
    }
}
