//! The grammar of keys. What is one has a predictable key, what is many a random one.

use registro_model::{ClassCode, time::parse_date};

/// The form of a key: pieces that follow one another, `{…}` naming a kind of piece, everything else literal.
///
/// | piece | what |
/// |---|---|
/// | `{date}` | `2026-11-23` |
/// | `{month}` | `2026-11` |
/// | `{slot}` | 1 to 20, without leading zero |
/// | `{weekday}` | 1 Monday to 7 Sunday |
/// | `{person}` | a person's id, 32 lower-case hexadecimal digits |
/// | `{hex}` | 16 lower-case hexadecimal digits, random |
/// | `{code}` | a code of class, subject, site or group |
pub type KeyGrammar = &'static str;

/// Whether the key has the form.
pub fn matches(grammar: &KeyGrammar, key: &str) -> bool {
    let mut rest = key;
    let mut form: &str = grammar;
    while !form.is_empty() {
        if let Some(after) = form.strip_prefix('{') {
            let Some((piece, after)) = after.split_once('}') else { return false };
            form = after;
            let Some(length) = piece_length(piece, rest, form) else { return false };
            let Some(tail) = rest.get(length..) else { return false };
            rest = tail;
        } else {
            let literal_end = form.find('{').unwrap_or(form.len());
            let Some((literal, after)) = form.split_at_checked(literal_end) else { return false };
            let Some(tail) = rest.strip_prefix(literal) else { return false };
            form = after;
            rest = tail;
        }
    }
    rest.is_empty()
}

fn piece_length(piece: &str, rest: &str, form_after: &str) -> Option<usize> {
    let fixed =
        |length: usize, check: &dyn Fn(&str) -> bool| rest.get(..length).filter(|p| check(p)).map(|_| length);
    let is_hex = |p: &str| p.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    // A piece of free length ends where the next literal character stands.
    let until = || match form_after.bytes().next() {
        Some(stop) => rest.bytes().position(|b| b == stop),
        None => Some(rest.len()),
    };
    match piece {
        "date" => fixed(10, &|p| parse_date(p).is_ok()),
        "month" => fixed(7, &|p| parse_date(&format!("{p}-01")).is_ok()),
        "weekday" => fixed(1, &|p| matches!(p.as_bytes(), [b'1'..=b'7'])),
        "person" => fixed(32, &is_hex),
        "hex" => fixed(16, &is_hex),
        "slot" => until().filter(|end| {
            rest.get(..*end)
                .and_then(|p| p.parse::<u8>().ok().filter(|n| n.to_string() == p))
                .is_some_and(|n| (1..=20).contains(&n))
        }),
        "code" => until().filter(|end| rest.get(..*end).is_some_and(|p| ClassCode::new(p).is_ok())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn keys_of_the_register_match_their_forms() {
        let person = "0123456789abcdef0123456789abcdef";
        assert!(matches(&"{date}#{slot}/{person}", &format!("2026-11-23#1/{person}")));
        assert!(matches(&"{date}/absence", "2026-11-23/absence"));
        assert!(matches(&"{date}#{slot}", "2026-11-23#12"));
        assert!(matches(&"{date}/out/{hex}", "2026-11-23/out/0011223344556677"));
        assert!(matches(&"{month}", "2026-11"));
        assert!(matches(&"{weekday}#{slot}/{code}/{code}", "1#2/ITA/3H-AFM"));
    }

    #[test]
    fn keys_out_of_form_do_not_match() {
        assert!(!matches(&"{date}/absence", "2026-11-31/absence"));
        assert!(!matches(&"{date}/absence", "2026-11-23/absence "));
        assert!(!matches(&"{date}#{slot}", "2026-11-23#01"));
        assert!(!matches(&"{date}#{slot}", "2026-11-23#+1"));
        assert!(!matches(&"{date}#{slot}", "2026-11-23#21"));
        assert!(!matches(&"{hex}", "001122334455667G"));
        assert!(!matches(&"{hex}", "00112233445566AA"));
        assert!(!matches(&"{code}", ""));
        assert!(!matches(&"{date}", "2026-11-2è"));
    }
}
