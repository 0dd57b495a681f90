//! One-time codes of an authenticator app. Sources: RFC 4226 §5.3 (HOTP), RFC 6238 (TOTP), the `otpauth` address that
//! authenticator apps read (Google Authenticator's key URI format).

use ring::hmac;
use zeroize::Zeroizing;

/// Length of a key: that of SHA-1's output (RFC 4226 §4 R6).
pub const KEY_LEN: usize = 20;
/// Seconds of a time step (RFC 6238 §4.1: X).
const STEP_SECONDS: i64 = 30;
/// Steps by which the clock of the phone may differ (RFC 6238 §5.2 recommends at most one).
const DRIFT: i64 = 1;
/// Digits of a code.
const DIGITS: usize = 6;

/// The code of a key at a time step.
fn code_at(key: &[u8], step: i64, digits: u32) -> u32 {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let offset = usize::from(tag.last().copied().unwrap_or(0) & 0x0f);
    let window = tag.get(offset..offset + 4).and_then(|bytes| bytes.try_into().ok()).unwrap_or([0; 4]);
    (u32::from_be_bytes(window) & 0x7fff_ffff) % 10_u32.pow(digits)
}

/// The time step whose code was typed, if it is a later one than the last used: a code works once (RFC 6238 §5.2).
pub fn verify(key: &[u8], typed: &str, last_step: i64, now_ms: i64) -> Option<i64> {
    let typed: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
    if typed.len() != DIGITS || !typed.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let now = now_ms.div_euclid(1_000 * STEP_SECONDS);
    (now - DRIFT..=now + DRIFT).filter(|step| *step > last_step).find(|step| {
        let code = format!("{:06}", code_at(key, *step, DIGITS as u32));
        // Every digit is looked at: how far the guess was right does not show in the time.
        code.bytes().zip(typed.bytes()).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
    })
}

/// The key as people type it into an app: base32 (RFC 4648 §6) in groups of four.
pub fn typed_key(key: &[u8; KEY_LEN]) -> Zeroizing<String> {
    let text = base32(key);
    let mut grouped = Zeroizing::new(String::with_capacity(40));
    for (index, letter) in text.chars().enumerate() {
        if index > 0 && index % 4 == 0 {
            grouped.push(' ');
        }
        grouped.push(letter);
    }
    grouped
}

/// The address that an authenticator app reads from a QR code.
pub fn address(key: &[u8; KEY_LEN], school: &str, username: &str) -> Zeroizing<String> {
    let encode = |text: &str| -> String {
        url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
    };
    let (school, username, key) = (encode(school), encode(username), base32(key));
    Zeroizing::new(format!("otpauth://totp/{school}:{username}?secret={}&issuer={school}", *key))
}

fn base32(bytes: &[u8; KEY_LEN]) -> Zeroizing<String> {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut text = Zeroizing::new(String::with_capacity(32));
    // Twenty bytes are four times five: nothing is padded.
    for five in bytes.chunks_exact(5) {
        let bits = five.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
        for place in (0..8).rev() {
            let letter = LETTERS.get((bits >> (5 * place)) as usize & 31).copied().unwrap_or(b'A');
            text.push(char::from(letter));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const RFC_KEY: &[u8; KEY_LEN] = b"12345678901234567890";

    #[test]
    fn codes_are_those_of_rfc_6238_appendix_b() {
        for (seconds, code) in [
            (59_i64, 94_287_082_u32),
            (1_111_111_109, 7_081_804),
            (1_111_111_111, 14_050_471),
            (1_234_567_890, 89_005_924),
            (2_000_000_000, 69_279_037),
            (20_000_000_000, 65_353_130),
        ] {
            assert_eq!(code_at(RFC_KEY, seconds / STEP_SECONDS, 8), code, "{seconds}");
        }
    }

    #[test]
    fn codes_are_those_of_rfc_4226_appendix_d() {
        let codes = [755224, 287082, 359152, 969429, 338314, 254676, 287922, 162583, 399871, 520489];
        for (counter, code) in codes.into_iter().enumerate() {
            assert_eq!(code_at(RFC_KEY, counter as i64, 6), code, "{counter}");
        }
    }

    #[test]
    fn a_code_works_in_its_step_and_its_neighbours_and_once() {
        let at = |step: i64| step * STEP_SECONDS * 1_000;
        let code = format!("{:06}", code_at(RFC_KEY, 1_000, 6));
        for now in [999, 1_000, 1_001] {
            assert_eq!(verify(RFC_KEY, &code, 0, at(now)), Some(1_000), "{now}");
        }
        for now in [998, 1_002] {
            assert_eq!(verify(RFC_KEY, &code, 0, at(now)), None, "{now}");
        }
        assert_eq!(verify(RFC_KEY, &code, 1_000, at(1_000)), None, "used");
        let spaced = format!(" {} {}", &code[..3], &code[3..]);
        assert_eq!(verify(RFC_KEY, &spaced, 0, at(1_000)), Some(1_000));
        for wrong in ["", "12345", "1234567", "abcdef", "٠٠٠٠٠٠"] {
            assert_eq!(verify(RFC_KEY, wrong, 0, at(1_000)), None, "{wrong}");
        }
    }

    #[test]
    fn an_app_reads_the_key() {
        assert_eq!(typed_key(RFC_KEY).as_str(), "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
        assert_eq!(
            address(RFC_KEY, "IIS \"Prova\" & C.", "anna@posta.example").as_str(),
            "otpauth://totp/IIS%20%22Prova%22%20%26%20C.:anna%40posta.example?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
             &issuer=IIS%20%22Prova%22%20%26%20C."
        );
    }
}
