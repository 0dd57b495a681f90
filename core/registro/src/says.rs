//! What a fact says, as a short phrase for the person, in both languages.

use registro_documents::Fact;
use registro_model::school::School;
use registro_model::time::parse_date;
use registro_model::{ClockTime, Date};

/// A short phrase in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Says {
    /// In Italian.
    pub italian: String,
    /// In English.
    pub english: String,
}

impl Says {
    fn new(italian: impl Into<String>, english: impl Into<String>) -> Self {
        Self { italian: italian.into(), english: english.into() }
    }

    fn and(self, more: Self) -> Self {
        Self::new(format!("{}{}", self.italian, more.italian), format!("{}{}", self.english, more.english))
    }

    /// Adds what there is only sometimes.
    fn and_some<T>(self, value: Option<T>, more: impl FnOnce(T) -> Self) -> Self {
        match value {
            Some(value) => self.and(more(value)),
            None => self,
        }
    }

    /// The same words in both languages: what a person wrote.
    fn quoted(text: &str) -> Self {
        Self::new(text, text)
    }
}

/// What a fact of a section says.
pub(crate) fn says(section: &str, key: &str, fact: &Fact, school: &School) -> Says {
    let said = match section {
        "attendance" if key.contains('#') => in_slot(key, fact),
        "attendance" => in_day(key, fact),
        "rolls" => Says::new("appello", "roll").and(of_hour(key)),
        "lessons" => lesson(key, fact, school),
        "topics" => Says::new("argomento", "topic")
            .and(of_hour(key))
            .and_some(fact.text("topic"), |topic| Says::quoted(": ").and(Says::quoted(topic))),
        "justifications" => justification(key, fact),
        "decisions" => decision(fact),
        _ => Says::quoted(section).and(Says::quoted(" ")).and(Says::quoted(key)),
    };
    match fact.annulled_why() {
        Some(why) => Says::new("annullato: ", "annulled: ")
            .and(said)
            .and_some(Some(why).filter(|why| !why.is_empty()), |why| Says::quoted(&format!(" ({why})"))),
        None => said,
    }
}

fn at(italian: &str, english: &str, time: ClockTime) -> Says {
    Says::new(format!("{italian} {time}"), format!("{english} {time}"))
}

fn of_hour(key: &str) -> Says {
    let hour = key.split_once('#').and_then(|(_, rest)| rest.split('/').next());
    hour.map_or_else(Says::default, |hour| {
        Says::new(format!(" della {hour}ª ora"), format!(" of hour {hour}"))
    })
}

fn in_day(key: &str, fact: &Fact) -> Says {
    match key.split('/').nth(1) {
        Some("absence") => Says::new("assente", "absent"),
        Some("entry") => came(fact, "time"),
        Some("exit") => left(fact, "time"),
        _ => out(fact),
    }
}

fn came(fact: &Fact, field: &str) -> Says {
    match fact.time(field) {
        Some(time) => at("entrata alle", "came at", time),
        None => Says::new("entrata in ritardo", "came late"),
    }
}

fn left(fact: &Fact, field: &str) -> Says {
    let said = match fact.time(field) {
        Some(time) => at("uscita alle", "left at", time),
        None => Says::new("uscita anticipata", "left early"),
    };
    said.and_some(fact.text("collected_by"), |who| {
        Says::new(format!(", ritira {who}"), format!(", collected by {who}"))
    })
}

fn out(fact: &Fact) -> Says {
    let why = match fact.text("kind") {
        Some("placement") => Says::new(" (PCTO)", " (work placement)"),
        Some("mobility") => Says::new(" (mobilità)", " (mobility)"),
        Some("external") => Says::new(" (attività esterna)", " (outside)"),
        _ => Says::new(" (a scuola)", " (in school)"),
    };
    Says::new("fuori classe", "out of class")
        .and(why)
        .and_some(fact.time("from"), |time| at(" dalle", " from", time))
        .and_some(fact.time("to"), |time| at(" alle", " to", time))
}

fn in_slot(key: &str, fact: &Fact) -> Says {
    let hour = key.split_once('#').map(|(_, hour)| hour).unwrap_or_default();
    let status = match fact.text("status") {
        Some("absent") => Says::new("assente", "absent"),
        Some("out") => out(fact),
        _ => Says::new("presente", "present"),
    };
    Says::new(format!("{hour}ª ora: "), format!("hour {hour}: "))
        .and(status)
        .and_some(fact.scalar("entry"), |_| Says::quoted(", ").and(came(fact, "entry")))
        .and_some(fact.scalar("exit"), |_| Says::quoted(", ").and(left(fact, "exit")))
        .and_some(fact.text("why"), |why| Says::quoted(&format!(" ({why})")))
}

fn lesson(key: &str, fact: &Fact, school: &School) -> Says {
    let code = fact.text("subject").unwrap_or_default();
    let subject = school.subjects.iter().find(|subject| subject.code.as_str() == code);
    let name = subject.map_or(code, |subject| subject.name.as_str());
    let kind = match fact.text("kind") {
        Some("co-teaching") => Says::new(", compresenza", ", co-teaching"),
        Some("support") => Says::new(", sostegno", ", learning support"),
        Some("substitution") => Says::new(", supplenza", ", substitution"),
        _ => Says::default(),
    };
    Says::new("firma", "signature")
        .and(of_hour(key))
        .and(Says::quoted(&format!(": {name}")))
        .and(kind)
        .and_some(fact.text("group"), |group| {
            Says::new(format!(", gruppo {group}"), format!(", group {group}"))
        })
}

fn of_kind(kind: &str) -> Says {
    match kind {
        "absence" => Says::new("di assenza", "of an absence"),
        "entry" => Says::new("di ritardo", "of a late"),
        "exit" => Says::new("di uscita", "of an exit"),
        _ => Says::new("di permesso", "of a permission"),
    }
}

fn days(from: Option<Date>, to: Option<Date>) -> Says {
    let italian = |date: Date| date.format("%d/%m/%Y").to_string();
    match (from, to) {
        (Some(from), Some(to)) if from == to => {
            Says::new(format!(" del {}", italian(from)), format!(" on {from}"))
        }
        (Some(from), Some(to)) => {
            Says::new(format!(" dal {} al {}", italian(from), italian(to)), format!(" from {from} to {to}"))
        }
        _ => Says::default(),
    }
}

fn justification(key: &str, fact: &Fact) -> Says {
    let mut pieces = key.split('/');
    let kind = of_kind(pieces.next().unwrap_or_default());
    let from = pieces.next().and_then(|from| parse_date(from).ok());
    Says::new("giustificazione ", "justification ")
        .and(kind)
        .and(days(from, fact.date("to")))
        .and_some(fact.text("reason"), |reason| Says::quoted(&format!(": {reason}")))
        .and_some(fact.text("text"), |text| Says::quoted(&format!(" ({text})")))
}

fn decision(fact: &Fact) -> Says {
    let (italian, english) = match fact.bool("approved") {
        Some(true) => ("approvata: ", "approved: "),
        _ => ("respinta: ", "rejected: "),
    };
    Says::new(italian, english)
        .and(Says::new("giustificazione ", "justification "))
        .and(of_kind(fact.text("kind").unwrap_or_default()))
        .and(days(fact.date("from"), fact.date("to")))
        .and_some(fact.text("why"), |why| Says::quoted(&format!(" ({why})")))
}

#[cfg(test)]
mod tests {
    use registro_model::school::{SchoolYear, Settings};
    use registro_model::{Capacity, CommandId};

    use super::*;

    fn school() -> School {
        let day = Date::MIN;
        School {
            code: String::new(),
            name: String::new(),
            year: SchoolYear {
                label: String::new(),
                start: day,
                end: day,
                lessons_from: day,
                lessons_to: day,
            },
            terms: vec![],
            sites: vec![],
            closed_days: vec![],
            slots: vec![],
            subjects: vec![],
            settings: Settings::default(),
        }
    }

    fn fact() -> Fact {
        Fact::new(CommandId([1; 8]), Capacity::Lesson)
    }

    fn said(section: &str, key: &str, fact: &Fact) -> (String, String) {
        let Says { italian, english } = says(section, key, fact, &school());
        (italian, english)
    }

    fn both(italian: &str, english: &str) -> (String, String) {
        (italian.to_owned(), english.to_owned())
    }

    #[test]
    fn a_day_is_said_in_both_languages() {
        let day = "2026-11-23";
        let (absence, exit) = (format!("{day}/absence"), format!("{day}/exit"));
        assert_eq!(said("attendance", &absence, &fact().with("slot", 1u8)), both("assente", "absent"));
        let left = fact().with("time", "11:05").with("collected_by", "Zia Alfa");
        assert_eq!(
            said("attendance", &exit, &left),
            both("uscita alle 11:05, ritira Zia Alfa", "left at 11:05, collected by Zia Alfa")
        );
        let out = fact().with("kind", "placement").with("from", "09:00").with("to", "10:00");
        assert_eq!(
            said("attendance", &format!("{day}/out/0011223344556677"), &out),
            both(
                "fuori classe (PCTO) dalle 09:00 alle 10:00",
                "out of class (work placement) from 09:00 to 10:00"
            )
        );
        let annulled = left.annulled_by(CommandId([2; 8]), Capacity::Lesson, "altro alunno");
        assert_eq!(
            said("attendance", &exit, &annulled).0,
            "annullato: uscita alle 11:05, ritira Zia Alfa (altro alunno)"
        );
    }

    #[test]
    fn an_hour_is_said_in_both_languages() {
        let absent = fact().with("status", "absent").with("exit", "10:20");
        assert_eq!(
            said("attendance", "2026-11-23#3", &absent),
            both("3ª ora: assente, uscita alle 10:20", "hour 3: absent, left at 10:20")
        );
        let person = "0123456789abcdef0123456789abcdef";
        let signed = fact().with("subject", "ITA").with("kind", "co-teaching").with("group", "3A-X");
        assert_eq!(
            said("lessons", &format!("2026-11-23#2/{person}"), &signed),
            both(
                "firma della 2ª ora: ITA, compresenza, gruppo 3A-X",
                "signature of hour 2: ITA, co-teaching, group 3A-X"
            )
        );
        assert_eq!(
            said("rolls", &format!("2026-11-23#2/{person}"), &fact()),
            both("appello della 2ª ora", "roll of hour 2")
        );
    }

    #[test]
    fn justifications_and_decisions_name_their_days() {
        let asked = fact().with("to", "2026-11-24").with("reason", "health").with("text", "Influenza");
        assert_eq!(
            said("justifications", "absence/2026-11-23/0011223344556677", &asked),
            both(
                "giustificazione di assenza dal 23/11/2026 al 24/11/2026: health (Influenza)",
                "justification of an absence from 2026-11-23 to 2026-11-24: health (Influenza)"
            )
        );
        let decided = fact()
            .with("kind", "exit")
            .with("from", "2026-11-23")
            .with("to", "2026-11-23")
            .with("approved", false)
            .with("why", "manca la firma");
        assert_eq!(
            said("decisions", "0011223344556677", &decided),
            both(
                "respinta: giustificazione di uscita del 23/11/2026 (manca la firma)",
                "rejected: justification of an exit on 2026-11-23 (manca la firma)"
            )
        );
    }

    #[test]
    fn what_is_not_known_here_is_named_by_its_place() {
        assert_eq!(said("x1", "chiave", &fact()), both("x1 chiave", "x1 chiave"));
    }
}
