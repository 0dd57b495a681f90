//! Forms: fields with their hints and errors, and the summary that leads to what is wrong.

use askama::Template;

use super::shell::Shell;

/// A field of a form.
#[derive(Template, Default)]
#[template(path = "login/field.html")]
pub struct Field {
    /// Its name in the form and on the page.
    pub id: &'static str,
    /// Its label.
    pub label: String,
    /// `text`, `email` or `password`.
    pub kind: &'static str,
    /// What stands in it; never a password.
    pub value: String,
    /// What a password manager puts in (HTML, autofill).
    pub autocomplete: &'static str,
    /// Which keyboard a phone shows.
    pub mode: &'static str,
    /// What to write.
    pub hint: Option<String>,
    /// What is wrong.
    pub error: Option<String>,
    /// Whether the page begins here.
    pub first: bool,
    /// Whether what is typed is set in fixed width.
    pub code: bool,
}

/// A page with one form.
#[derive(Template)]
#[template(path = "login/form.html")]
pub struct FormPage {
    /// What all pages have.
    pub shell: Shell,
    /// Its title.
    pub title: String,
    /// What it is about.
    pub lead: Vec<String>,
    /// Where the form goes.
    pub action: &'static str,
    /// What goes with it unseen.
    pub hidden: Vec<(&'static str, String)>,
    /// Its fields.
    pub fields: Vec<Field>,
    /// What is wrong and of no field.
    pub problem: Option<String>,
    /// The button.
    pub submit: String,
    /// Where else to go.
    pub links: Vec<(&'static str, String)>,
}

impl FormPage {
    /// Whether anything is wrong.
    pub fn is_wrong(&self) -> bool {
        self.problem.is_some() || self.fields.iter().any(|field| field.error.is_some())
    }
}
