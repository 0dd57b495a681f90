//! Whether a school's pupils are in the first cycle: primary school (*primaria*) and lower secondary school (*secondaria
//! di primo grado*), with nursery school (*infanzia*). There parents and guardians alone hold accounts
//! (D.L. 95/2012 art. 7 c. 31, as amended by L. 182/2025 art. 51).

/// Which pupils a school has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchoolKind {
    /// Of the first cycle.
    FirstCycle,
    /// Of upper secondary school (*secondaria di secondo grado*), or adults.
    SecondCycle,
    /// Of both: every site says by its own ministry code (*istituto omnicomprensivo*, *convitto*).
    Both,
}

impl SchoolKind {
    /// What to write as `tipo` in scuola.toml.
    pub const MEND: &str = "Scrivi uno di: infanzia, primaria, secondaria_primo_grado, comprensivo, \
                            secondaria_secondo_grado, omnicomprensivo, cpia.";

    /// The kind that `tipo` in scuola.toml names.
    pub fn of_word(word: &str) -> Option<Self> {
        match word.trim().to_lowercase().replace([' ', '-'], "_").as_str() {
            "infanzia" | "primaria" | "secondaria_primo_grado" | "comprensivo" | "istituto_comprensivo" => {
                Some(Self::FirstCycle)
            }
            "secondaria_secondo_grado" | "cpia" => Some(Self::SecondCycle),
            "omnicomprensivo" | "istituto_omnicomprensivo" | "convitto" => Some(Self::Both),
            _ => None,
        }
    }

    /// The kind that the third and fourth letter of a ministry code (*codice meccanografico*) name: `AA` nursery,
    /// `EE` primary, `MM` lower secondary, `IC` the three together; the others are upper secondary.
    pub fn of_code(code: &str) -> Self {
        match code.to_uppercase().as_bytes().get(2..4) {
            Some(b"AA" | b"EE" | b"MM" | b"IC") => Self::FirstCycle,
            _ => Self::SecondCycle,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_decides_and_else_the_ministry_code() {
        assert_eq!(SchoolKind::of_word("Secondaria primo grado"), Some(SchoolKind::FirstCycle));
        assert_eq!(SchoolKind::of_word("secondaria_secondo_grado"), Some(SchoolKind::SecondCycle));
        assert_eq!(SchoolKind::of_word("liceo"), None);
        assert_eq!(SchoolKind::of_code("QZIC00100X"), SchoolKind::FirstCycle);
        assert_eq!(SchoolKind::of_code("qzee001018"), SchoolKind::FirstCycle);
        assert_eq!(SchoolKind::of_code("QZPS001018"), SchoolKind::SecondCycle);
        assert_eq!(SchoolKind::of_code("Q"), SchoolKind::SecondCycle);
    }
}
