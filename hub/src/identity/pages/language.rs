//! In which language a page is: what the person chose on it, what the app asked for (`ui_locales`), what the browser
//! prefers, Italian.

use axum::http::{HeaderMap, HeaderValue, header};

/// The language of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Italian.
    Italian,
    /// English.
    English,
}

const COOKIE: &str = "registro-language";

impl Language {
    /// The language of a tag such as `en` or `it-IT`.
    pub fn of_tag(tag: &str) -> Option<Self> {
        match tag.trim().split('-').next()?.to_ascii_lowercase().as_str() {
            "it" => Some(Self::Italian),
            "en" => Some(Self::English),
            _ => None,
        }
    }

    /// As it stands in `lang`.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Italian => "it",
            Self::English => "en",
        }
    }

    /// The one of two texts that is in this language.
    pub const fn say<'a>(self, italian: &'a str, english: &'a str) -> &'a str {
        match self {
            Self::Italian => italian,
            Self::English => english,
        }
    }

    /// The first language of `Accept-Language` that the pages have, by weight (RFC 9110 §12.5.4).
    fn accepted(headers: &HeaderMap) -> Option<Self> {
        let text = headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
        let mut best: Option<(f32, Self)> = None;
        for entry in text.split(',').take(20) {
            let mut parts = entry.split(';');
            let Some(language) = parts.next().and_then(Self::of_tag) else { continue };
            let weight = parts.find_map(|part| part.trim().strip_prefix("q=")?.parse().ok()).unwrap_or(1.0);
            if weight > 0.0 && best.is_none_or(|(known, _)| weight > known) {
                best = Some((weight, language));
            }
        }
        best.map(|(_, language)| language)
    }

    fn remembered(headers: &HeaderMap) -> Option<Self> {
        headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(name, _)| *name == COOKIE)
            .and_then(|(_, value)| Self::of_tag(value))
    }

    /// The language of a request. `chosen`: by the page's own switch; `asked`: by the app.
    pub fn of(headers: &HeaderMap, chosen: Option<&str>, asked: Option<&str>) -> Self {
        chosen
            .and_then(Self::of_tag)
            .or_else(|| Self::remembered(headers))
            .or_else(|| asked.and_then(Self::of_tag))
            .or_else(|| Self::accepted(headers))
            .unwrap_or(Self::Italian)
    }

    /// The header that remembers it for a day.
    pub fn remember(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Italian => "registro-language=it; Path=/; Max-Age=86400; HttpOnly; SameSite=Lax",
            Self::English => "registro-language=en; Path=/; Max-Age=86400; HttpOnly; SameSite=Lax",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(
        cookie: Option<&'static str>,
        accept: Option<&'static str>,
        chosen: Option<&str>,
        asked: Option<&str>,
    ) -> Language {
        let mut headers = HeaderMap::new();
        cookie.map(|value| headers.insert(header::COOKIE, HeaderValue::from_static(value)));
        accept.map(|value| headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static(value)));
        Language::of(&headers, chosen, asked)
    }

    #[test]
    fn what_was_chosen_then_what_the_app_asked_for_then_what_the_browser_prefers() {
        use Language::{English, Italian};
        assert_eq!(of(None, None, None, None), Italian);
        assert_eq!(of(None, Some("de, en-GB;q=0.8, it;q=0.5"), None, None), English);
        assert_eq!(of(None, Some("en;q=0.2,it;q=0.9"), None, None), Italian);
        assert_eq!(of(None, Some("fr;q=x, *"), None, None), Italian);
        assert_eq!(of(None, Some("it"), None, Some("en")), English);
        assert_eq!(of(Some("a=b; registro-language=it"), None, None, Some("en")), Italian);
        assert_eq!(of(Some("registro-language=it"), None, Some("en"), None), English);
        assert_eq!(of(None, None, Some("<script>"), None), Italian);
    }
}
