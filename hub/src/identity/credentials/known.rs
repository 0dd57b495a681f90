//! What the office's files say of a person that credentials are issued to.

use core::fmt;

use registro_model::PersonId;

use crate::registry::Registered;

/// A person as the office's files have them. `Debug` shows the id alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Known {
    /// Who.
    pub person: PersonId,
    /// Their name, as people write it.
    pub name: String,
    /// Their address, if the office has one.
    pub email: Option<String>,
    /// The code by which the office knows them: a pupil's number, a code of the staff.
    pub code: Option<String>,
    /// Whether they are a pupil.
    pub is_pupil: bool,
    /// The school's name.
    pub school: String,
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Known").field("person", &self.person).finish_non_exhaustive()
    }
}

impl Known {
    /// What the files say; `None` if they do not have the person.
    pub fn of(registered: &Registered, person: PersonId) -> Option<Self> {
        Some(Self {
            person,
            name: registered.name_of(person)?.to_owned(),
            email: registered.login.emails.get(&person).cloned(),
            code: registered.login.codes.get(&person).cloned(),
            is_pupil: registered.directory.pupils.contains_key(&person),
            school: registered.school.name.clone(),
        })
    }

    /// Words that anybody would try as this person's password.
    pub fn words<'a>(&'a self, username: &'a str) -> [&'a str; 4] {
        [&self.name, &self.school, username, self.email.as_deref().unwrap_or_default()]
    }
}

/// An address with most of its name hidden, for who has to know it again: `s•••i@posta.example`.
pub fn masked(email: &str) -> String {
    let Some((name, domain)) = email.split_once('@') else { return "•••".to_owned() };
    let mut letters = name.chars();
    let first = letters.next().map(String::from).unwrap_or_default();
    let last = letters.next_back().map(String::from).unwrap_or_default();
    format!("{first}•••{last}@{domain}")
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn a_masked_address_keeps_two_letters_and_the_domain() {
        assert_eq!(masked("silvia.nardi@posta.example"), "s•••i@posta.example");
        assert_eq!(masked("a@posta.example"), "a•••@posta.example");
        assert_eq!(masked("rubbish"), "•••");
    }
}
