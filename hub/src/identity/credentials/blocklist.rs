//! Passwords that everybody tries first, and the words that they are made of. Source: NIST SP 800-63B-4 §3.1.1.2
//! (blocklist of values known to be commonly used, expected or compromised; names of the service and of the person).

use std::collections::HashSet;
use std::path::Path;

use crate::error::HubError;

/// The list that comes with the hub.
const BUILT_IN: &str = include_str!("../../../assets/blocklist.txt");
/// Shortest word that counts inside a longer password.
const SHORTEST_WORD: usize = 4;
/// What must be left of a password, in letters and digits, besides the words of the list in it.
const LEAST_OWN: usize = 5;
/// Fewest different characters.
const LEAST_DISTINCT: usize = 5;
/// Longest unit whose repetition is no password.
const LONGEST_UNIT: usize = 6;
/// Rows that fingers walk along.
const ROWS: [&str; 4] = [
    "abcdefghijklmnopqrstuvwxyz",
    "1234567890",
    "qwertyuiopasdfghjklzxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
];

/// The list.
#[derive(Debug)]
pub struct Blocklist(HashSet<String>);

impl Blocklist {
    /// The built-in list, and a school's own: one password or word a line, `#` begins a comment line.
    ///
    /// # Errors
    /// [`HubError::Settings`] if the school's list cannot be read.
    pub fn read(own: Option<&Path>) -> Result<Self, HubError> {
        let mut words: HashSet<String> = lines(BUILT_IN).map(folded).collect();
        if let Some(path) = own {
            let text = std::fs::read_to_string(path)
                .map_err(|error| HubError::Settings(format!("credentials.blocklist: {error}")))?;
            words.extend(lines(&text).map(folded));
        }
        Ok(Self(words))
    }

    /// Whether a password is one of the list, is made of its words and of `own` words (school, person, user name), or
    /// walks along a row of keys. Letters that look like digits count as them, capitals as small.
    pub fn has(&self, password: &str, own: &[&str]) -> bool {
        let folded = folded(password);
        if self.0.contains(&folded) || self.0.contains(&password.to_lowercase()) {
            return true;
        }
        let distinct: HashSet<char> = folded.chars().collect();
        if distinct.len() < LEAST_DISTINCT || is_repetition(&folded) || is_walk(&password.to_lowercase()) {
            return true;
        }
        self.is_made_of_words(password, own)
    }

    /// Whether little is left once known words, years and signs are taken out.
    fn is_made_of_words(&self, password: &str, own: &[&str]) -> bool {
        let own: HashSet<String> = own
            .iter()
            .flat_map(|text| text.split(|c: char| !c.is_alphanumeric()))
            .filter(|word| word.chars().count() >= SHORTEST_WORD)
            .map(folded)
            .collect();
        let letters: Vec<char> = folded(password).chars().collect();
        let typed: Vec<char> = password.to_lowercase().chars().collect();
        let (mut at, mut left, mut met) = (0, 0, false);
        while at < letters.len() {
            let word = (SHORTEST_WORD..=(letters.len() - at).min(40)).rev().find(|len| {
                let word: String = letters.iter().skip(at).take(*len).collect();
                let plain: String = typed.iter().skip(at).take(*len).collect();
                self.0.contains(&word) || own.contains(&word) || self.0.contains(&plain) || is_year(&plain)
            });
            match word {
                Some(len) => {
                    met = true;
                    at += len;
                }
                None => {
                    left += usize::from(letters.get(at).is_some_and(|c| c.is_alphanumeric()));
                    at += 1;
                }
            }
        }
        met && left < LEAST_OWN
    }
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// Small letters, and letters for the digits and signs that people write in their place. One character stays one.
fn folded(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '0' => 'o',
            '1' | '!' => 'i',
            '3' => 'e',
            '4' | '@' | 'à' | 'À' => 'a',
            '5' | '$' => 's',
            '7' => 't',
            'è' | 'é' | 'È' | 'É' => 'e',
            'ì' | 'Ì' => 'i',
            'ò' | 'Ò' => 'o',
            'ù' | 'Ù' => 'u',
            c => c.to_lowercase().next().unwrap_or(c),
        })
        .collect()
}

fn is_year(text: &str) -> bool {
    text.len() == 4
        && (text.starts_with("19") || text.starts_with("20"))
        && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_repetition(text: &str) -> bool {
    let letters: Vec<char> = text.chars().collect();
    (1..=LONGEST_UNIT.min(letters.len() / 2))
        .any(|unit| letters.iter().zip(letters.iter().skip(unit)).all(|(first, later)| first == later))
}

fn is_walk(text: &str) -> bool {
    ROWS.iter().any(|row| {
        let round: String = row.repeat(text.len() / row.len() + 2);
        let back: String = round.chars().rev().collect();
        round.contains(text) || back.contains(text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_everybody_tries_first_is_refused_however_it_is_dressed() {
        let list = Blocklist::read(None).unwrap();
        let own = ["Istituto Elvira Santamauro", "Nardi Silvia", "silvia.nardi@iis-santamauro.example"];
        for weak in [
            "passwordpassword",
            "P4ssw0rdP4ssw0rd",
            "Password12345678",
            "Password2026!!!!",
            "aaaaaaaaaaaaaaa",
            "abcabcabcabcabc",
            "abcdefghijklmno",
            "onmlkjihgfedcba",
            "123456789012345",
            "qwertyuiopasdfg",
            "SilviaNardi2026",
            "S1lvia-Nardi-1976!",
            "santamauro-santamauro",
            "elvira.santamauro.12",
            "juventus juventus 1",
            "amoremio per sempre",
            "forza napoli 2026",
        ] {
            assert!(list.has(weak, &own), "{weak}");
        }
        for good in [
            "graffetta corretta batteria",
            "un tavolo viola sotto la pioggia",
            "482915730286154",
            "silvianardi 847261",
            "xK9#mQ2$vL7@pR4",
            "tre civette sul comò",
        ] {
            assert!(!list.has(good, &own), "{good}");
        }
    }

    #[test]
    fn a_school_adds_its_own_list() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list.txt");
        std::fs::write(&path, "# nostra\nborgovalserio\n").unwrap();
        let list = Blocklist::read(Some(&path)).unwrap();
        assert!(list.has("BorgoValserio2026", &[]));
        assert!(!Blocklist::read(None).unwrap().has("BorgoValserio2026", &[]));
        assert!(matches!(Blocklist::read(Some(&folder.path().join("none"))), Err(HubError::Settings(_))));
    }
}
