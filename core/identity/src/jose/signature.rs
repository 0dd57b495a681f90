//! Signatures of P-256: platforms give the DER form of X9.62, JOSE wants r and s, 32 bytes each (RFC 7518 §3.4).

/// Turns a signature in DER into r ‖ s. Nothing if it does not read.
///
/// An integer in DER loses its leading zeros and gets one in front if its first bit is set: one signature in 128 is
/// shorter than most, and has to be filled up again.
pub fn raw_from_der(der: &[u8]) -> Option<[u8; 64]> {
    let (body, after) = element(der, 0x30)?;
    let (r, rest) = element(body, 0x02)?;
    let (s, end) = element(rest, 0x02)?;
    if !after.is_empty() || !end.is_empty() {
        return None;
    }
    let mut raw = [0; 64];
    let (left, right) = raw.split_at_mut(32);
    place(r, left)?;
    place(s, right)?;
    Some(raw)
}

/// An element with that tag and a length below 128, and what comes after it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (head, rest) = der.split_at_checked(2)?;
    if head.first() != Some(&tag) {
        return None;
    }
    let length = *head.get(1)?;
    if length >= 128 { None } else { rest.split_at_checked(usize::from(length)) }
}

/// Writes a positive integer to the end of 32 bytes.
fn place(integer: &[u8], out: &mut [u8]) -> Option<()> {
    let digits = match integer {
        // The zero in front says that the number is positive; where it is not needed it is not DER.
        [0, rest @ ..] if rest.first().is_some_and(|first| first & 0x80 != 0) => rest,
        [first, ..] if *first != 0 && first & 0x80 == 0 => integer,
        _ => return None,
    };
    let from = out.len().checked_sub(digits.len())?;
    out.get_mut(from..)?.copy_from_slice(digits);
    Some(())
}

#[cfg(test)]
mod tests {
    use ring::rand::SystemRandom;
    use ring::signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED, EcdsaKeyPair, KeyPair, UnparsedPublicKey,
    };

    use super::*;

    fn integer(bytes: &[u8; 32]) -> Vec<u8> {
        let digits: Vec<u8> = bytes.iter().copied().skip_while(|byte| *byte == 0).collect();
        let sign = digits.first().is_some_and(|first| first & 0x80 != 0).then_some(0);
        let digits: Vec<u8> = sign.into_iter().chain(digits).collect();
        [vec![2, digits.len() as u8], digits].concat()
    }

    fn der(r: &[u8; 32], s: &[u8; 32]) -> Vec<u8> {
        let body = [integer(r), integer(s)].concat();
        [vec![0x30, body.len() as u8], body].concat()
    }

    #[test]
    fn leading_zeros_are_filled_up_again() {
        for zeros in 0..32 {
            for first in [0x01, 0x7f, 0x80, 0xff] {
                let (mut r, s) = ([0x5a; 32], [0xa5; 32]);
                r[..zeros].fill(0);
                r[zeros] = first;
                assert_eq!(raw_from_der(&der(&r, &s)), Some([r, s].concat().try_into().unwrap()));
                assert_eq!(raw_from_der(&der(&s, &r)), Some([s, r].concat().try_into().unwrap()));
            }
        }
    }

    #[test]
    fn real_signatures_verify_after_the_change_of_form() {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref(), &random).unwrap();
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.public_key().as_ref());
        for text in 0..600u32 {
            let text = text.to_be_bytes();
            let raw = raw_from_der(key.sign(&random, &text).unwrap().as_ref()).unwrap();
            public.verify(&text, &raw).unwrap();
        }
    }

    #[test]
    fn what_is_not_der_is_refused() {
        let good = der(&[0x11; 32], &[0x81; 32]);
        for length in 0..good.len() {
            assert_eq!(raw_from_der(&good[..length]), None);
        }
        assert_eq!(raw_from_der(&[good.clone(), vec![0]].concat()), None);
        let zero_not_needed = [vec![0x30, 8, 2, 2, 0, 1], vec![2, 2, 0, 1]].concat();
        assert_eq!(raw_from_der(&zero_not_needed), None);
        assert_eq!(raw_from_der(&[0x30, 6, 2, 1, 0x80, 2, 1, 1]), None, "a negative number");
        assert_eq!(raw_from_der(&[0x30, 4, 2, 0, 2, 0]), None);
        let long = [vec![2, 34, 1], vec![1; 33], vec![2, 1, 1]].concat();
        assert_eq!(raw_from_der(&[vec![0x30, long.len() as u8], long].concat()), None);
    }
}
