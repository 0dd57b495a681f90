//! Invented schools for the tests.

use registro_model::ids::SiteCode;
use registro_model::school::{BellSlot, ClosedDay, DayStatus, School, SchoolYear, Settings, Term};
use registro_model::{ClockTime, Date};

pub fn date(text: &str) -> Date {
    text.parse().unwrap()
}

pub fn time(text: &str) -> ClockTime {
    text.parse().unwrap()
}

pub fn site(code: &str) -> SiteCode {
    SiteCode::new(code).unwrap()
}

/// A school without closed days or slots, with lessons between two days, closed on Sundays.
pub fn school(from: &str, to: &str) -> School {
    let (from, to) = (date(from), date(to));
    School {
        code: "QZIS00100X".into(),
        name: "Prova".into(),
        year: SchoolYear {
            label: "prova".into(),
            start: from,
            end: date("2027-08-31").max(to),
            lessons_from: from,
            lessons_to: to,
        },
        terms: vec![],
        sites: vec![],
        closed_days: vec![],
        slots: vec![],
        subjects: vec![],
        settings: Settings::default(),
    }
}

/// The year 2026/2027 in two terms that meet on 22 and 23 December.
pub fn two_terms() -> School {
    let mut school = school("2026-09-14", "2027-06-08");
    school.terms = vec![term("P", 1, "2026-09-14", "2026-12-22"), term("F", 2, "2026-12-23", "2027-06-08")];
    school
}

pub fn term(code: &str, position: u8, start: &str, end: &str) -> Term {
    Term {
        code: code.into(),
        position,
        label: code.into(),
        start: date(start),
        end: date(end),
        is_final: code == "F",
    }
}

/// Closes every day between two days, at one site or all.
pub fn close(school: &mut School, from: &str, to: &str, status: DayStatus, at: Option<&str>) {
    let days = date(from).iter_days().take_while(|day| *day <= date(to));
    let at = at.map(site);
    school.closed_days.extend(days.map(|date| ClosedDay { date, site: at.clone(), status }));
}

pub fn bell(at: &str, weekday: u8, position: u8, start: &str, end: &str, half_units: u8) -> BellSlot {
    BellSlot { site: site(at), weekday, position, start: time(start), end: time(end), half_units }
}
