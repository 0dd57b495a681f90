//! What all pages have: language, school, the token of their forms.

use super::language::Language;

/// What all pages have.
pub struct Shell {
    /// The language.
    pub language: Language,
    /// The school's name.
    pub school: String,
    /// The office's address.
    pub office: Option<String>,
    /// The page's own address.
    pub here: String,
    /// The token of the page's forms.
    pub form: String,
}

impl Shell {
    /// The one of two texts that is in the page's language.
    pub fn say<'a>(&self, italian: &'a str, english: &'a str) -> &'a str {
        self.language.say(italian, english)
    }

    /// The page's address in a language.
    pub fn in_language(&self, tag: &str) -> String {
        let joint = if self.here.contains('?') { '&' } else { '?' };
        format!("{}{joint}lang={tag}", self.here)
    }
}
