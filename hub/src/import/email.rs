//! An address of mail as the office wrote it.

/// The address, in the form in which two of them are compared, if mail can be sent to it. Domains have no case; of the
/// part before the `@` none of the large providers keeps it either, and people write it as it comes.
pub fn accepted(text: &str) -> Option<String> {
    let text = text.trim();
    // 254: the longest address that SMTP carries (RFC 5321 §4.5.3.1.3, less its angle brackets).
    if text.len() > 254 {
        return None;
    }
    let address: lettre::Address = text.parse().ok()?;
    Some(address.to_string().to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::accepted;

    #[test]
    fn an_address_is_trimmed_and_lowered_and_anything_else_is_none() {
        assert_eq!(accepted(" Anna.Abate@Posta.example ").as_deref(), Some("anna.abate@posta.example"));
        for wrong in ["", "anna", "anna@", "@posta.example", "a b@posta.example", "a@b\nBcc: c@d.example"] {
            assert_eq!(accepted(wrong), None, "{wrong}");
        }
    }
}
