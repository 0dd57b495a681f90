//! Codes that people type from a letter: first access, and recovery of the second factor.

use zeroize::Zeroizing;

use crate::identity::Randomness;

/// Letters and digits that cannot be taken for one another in print: no `0`, `1`, `I`, `O`.
const ALPHABET: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
/// Characters of a code: 80 bits, so that a keyed hash is all that has to be kept, and no try is worth while.
const LEN: usize = 16;

/// A code. `Debug` does not show it.
pub struct OneTimeCode(Zeroizing<String>);

impl core::fmt::Debug for OneTimeCode {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("OneTimeCode(…)")
    }
}

impl OneTimeCode {
    /// Draws a code.
    pub fn draw(random: &Randomness) -> Self {
        let bytes: Zeroizing<[u8; LEN]> = Zeroizing::new(random.draw());
        let letter = |byte: &u8| ALPHABET.get(usize::from(byte & 31)).copied().map_or('2', char::from);
        Self(Zeroizing::new(bytes.iter().map(letter).collect()))
    }

    /// What somebody typed, with any blanks and hyphens and in any case; `None` if it cannot be a code.
    pub fn typed(text: &str) -> Option<Self> {
        // Sixteen characters with separators; what is much longer is not looked at.
        if text.len() > 100 {
            return None;
        }
        let mut code = Zeroizing::new(String::with_capacity(LEN));
        for letter in text.chars().filter(|c| !c.is_whitespace() && !"-‐‑–".contains(*c)) {
            let letter = letter.to_ascii_uppercase();
            if !u8::try_from(letter).is_ok_and(|byte| ALPHABET.contains(&byte)) {
                return None;
            }
            code.push(letter);
        }
        (code.len() == LEN).then_some(Self(code))
    }

    /// Without separators: what is hashed.
    pub fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// As it is printed: four groups of four.
    pub fn printed(&self) -> Zeroizing<String> {
        let mut printed = Zeroizing::new(String::with_capacity(LEN + 3));
        for (index, letter) in self.0.chars().enumerate() {
            if index > 0 && index % 4 == 0 {
                printed.push('-');
            }
            printed.push(letter);
        }
        printed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandomness;

    #[test]
    fn a_printed_code_is_read_however_it_is_typed() {
        let random = Randomness::new(Box::new(SystemRandomness::new()));
        let code = OneTimeCode::draw(&random);
        let printed = code.printed();
        assert_eq!(printed.len(), 19);
        for typed in [
            printed.to_string(),
            printed.to_lowercase(),
            printed.replace('-', " "),
            format!(" {} ", *printed),
        ] {
            assert_eq!(OneTimeCode::typed(&typed).unwrap().bytes(), code.bytes());
        }
        for wrong in [
            "",
            "ABCD",
            "0000-0000-0000-0000",
            "IIII-IIII-IIII-IIII",
            "ABCD-ABCD-ABCD-ABCDE",
            "ÀBCD-ABCD-ABCD-ABCD",
        ] {
            assert!(OneTimeCode::typed(wrong).is_none(), "{wrong}");
        }
        assert_eq!(format!("{code:?}"), "OneTimeCode(…)");
    }
}
