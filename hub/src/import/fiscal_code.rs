//! Fiscal codes (*codice fiscale*): form and check character (D.M. 23 December 1976), letters for digits (*omocodia*)
//! and the provisional code of 11 digits.

/// What is wrong with a fiscal code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// Neither 16 characters of the right form nor 11 digits.
    Form,
    /// The check character does not agree.
    Check,
}

/// Checks a code in upper case.
pub fn check(code: &str) -> Result<(), Wrong> {
    let bytes = code.as_bytes();
    match bytes.len() {
        11 if bytes.iter().all(u8::is_ascii_digit) => {
            let sum: u32 = bytes
                .iter()
                .take(10)
                .enumerate()
                .map(|(index, byte)| {
                    let digit = u32::from(byte - b'0');
                    if index % 2 == 0 { digit } else { digit * 2 - if digit > 4 { 9 } else { 0 } }
                })
                .sum();
            let expected = (10 - sum % 10) % 10;
            if bytes.last().map(|b| u32::from(b - b'0')) == Some(expected) {
                Ok(())
            } else {
                Err(Wrong::Check)
            }
        }
        16 => personal(bytes),
        _ => Err(Wrong::Form),
    }
}

fn personal(bytes: &[u8]) -> Result<(), Wrong> {
    // Positions of digits, where omocodia may put a letter.
    const DIGITS: [usize; 7] = [6, 7, 9, 10, 12, 13, 14];
    let form = bytes.iter().enumerate().all(|(index, byte)| {
        if DIGITS.contains(&index) {
            byte.is_ascii_digit() || b"LMNPQRSTUV".contains(byte)
        } else if index == 8 {
            b"ABCDEHLMPRST".contains(byte)
        } else {
            byte.is_ascii_uppercase()
        }
    });
    if !form {
        return Err(Wrong::Form);
    }
    const ODD: [u32; 26] =
        [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
    let sum: u32 = bytes
        .iter()
        .take(15)
        .enumerate()
        .map(|(index, byte)| {
            let value = if byte.is_ascii_digit() { byte - b'0' } else { byte - b'A' };
            // Positions count from 1: the first is odd.
            if index % 2 == 0 { ODD.get(usize::from(value)).copied().unwrap_or(0) } else { u32::from(value) }
        })
        .sum();
    let expected = b'A' + (sum % 26) as u8;
    if bytes.last() == Some(&expected) { Ok(()) } else { Err(Wrong::Check) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_the_sample_agree_and_a_wrong_character_does_not() {
        for code in ["BNDFPP12H13M385G", "FRRMTT09E17M36QV", "00260901178"] {
            assert_eq!(check(code), Ok(()), "{code}");
        }
        assert_eq!(check("BNDFPP12H13M385H"), Err(Wrong::Check));
        assert_eq!(check("00260901179"), Err(Wrong::Check));
        assert_eq!(check("BNDFPP12Z13M385G"), Err(Wrong::Form));
        assert_eq!(check("BND"), Err(Wrong::Form));
    }
}
