//! Whether a person may log in on a day, and until when. Pure: the office's data at that date in, an answer out.
//!
//! | who | reads until | source |
//! |---|---|---|
//! | staff | the last day of a role | our choice |
//! | a pupil of upper secondary school, a guardian | the setting `leavers_revoked_on` after the pupil's last day | our choice, no law found |
//! | a pupil of the first cycle | holds no account | D.L. 95/2012 art. 7 c. 31, as amended by L. 182/2025 art. 51 |
//! | a guardian without rights over any pupil | holds no account | court order, as the office noted it |
//!
//! For `late_push_days` after the end a device may still hand in what was written before it (PROTOCOL §8), and read
//! nothing.

use chrono::{Datelike, Days};
use registro_model::directory::GuardianRights;
use registro_model::time::Span;
use registro_model::{Date, PersonId};

use super::MonthDay;
use crate::registry::Registered;

/// Whether a person may log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entitlement {
    /// They may, and read until the day, included.
    Entitled {
        /// The last day.
        until: Date,
    },
    /// Their right has ended: what they wrote before may still be handed in until the day, included.
    PushOnly {
        /// The last day of reading.
        ended: Date,
        /// The last day of handing in.
        until: Date,
    },
    /// They may not.
    Refused(Refusal),
}

impl Entitlement {
    /// Whether they may read.
    pub fn is_entitled(self) -> bool {
        matches!(self, Self::Entitled { .. })
    }
}

/// Why a person may not log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// A pupil of the first cycle: the parents or guardians log in.
    FirstCycle,
    /// Known to the school, and nothing that logs in.
    NoRole,
    /// Was something that logs in.
    Left {
        /// The last day of reading.
        since: Date,
    },
}

/// The entitlement of a person on a day. A person of several qualities has the best of them.
pub fn of(registered: &Registered, revoked_on: MonthDay, person: PersonId, today: Date) -> Entitlement {
    let rules = Rules { registered, revoked_on };
    let rights = rules.rights_of(person);
    let begun = || rights.iter().filter(|span| span.from <= today).filter_map(|span| span.to);
    let Some(last) = begun().max() else {
        let refusal = match rules.is_of_first_cycle(person) {
            true => Refusal::FirstCycle,
            false => Refusal::NoRole,
        };
        return Entitlement::Refused(refusal);
    };
    if today <= last {
        return Entitlement::Entitled { until: last };
    }
    let patience = u64::from(registered.school.settings.late_push_days);
    let until = last.checked_add_days(Days::new(patience)).unwrap_or(last);
    match today <= until {
        true => Entitlement::PushOnly { ended: last, until },
        false => Entitlement::Refused(Refusal::Left { since: last }),
    }
}

struct Rules<'a> {
    registered: &'a Registered,
    revoked_on: MonthDay,
}

impl Rules<'_> {
    /// Every span of days in which the person may read, each with an end.
    fn rights_of(&self, person: PersonId) -> Vec<Span> {
        let directory = &self.registered.directory;
        let mut rights: Vec<Span> = Vec::new();
        if let Some(member) = directory.staff.get(&person) {
            rights.extend(member.roles.iter().map(|(_, span)| self.ending(*span)));
        }
        if !self.is_of_first_cycle(person) {
            rights.extend(self.attendance(person));
        }
        for (pupil, guardians) in &directory.guardians {
            let held = guardians.iter().filter(|g| g.guardian == person && g.rights != GuardianRights::None);
            for guardianship in held {
                let right = self.ending(guardianship.span);
                // Nobody guards a pupil longer than the pupil is the school's.
                rights.extend(self.attendance(*pupil).into_iter().filter_map(|span| {
                    let both = Span { from: span.from.max(right.from), to: span.to.min(right.to) };
                    both.to.is_some_and(|to| both.from <= to).then_some(both)
                }));
            }
        }
        rights
    }

    /// The spans in which a pupil is the school's: from the first day in a class to the day on which leavers are
    /// revoked.
    fn attendance(&self, pupil: PersonId) -> Vec<Span> {
        let classes = self.registered.directory.pupils.get(&pupil).map(|pupil| pupil.classes.as_slice());
        classes
            .unwrap_or_default()
            .iter()
            .map(|(_, span)| {
                let ending = self.ending(*span);
                let year = &self.registered.school.year;
                let to =
                    ending.to.map(|to| if to > year.end { to } else { self.revoked_on.after_leaving(to) });
                Span { from: span.from, to }
            })
            .collect()
    }

    /// A span with an end. What lasts to the end of the year, or has no end, goes on until the office brings the next
    /// year, at most to 31 October, which is also the last day of the devices' certificates: in the first days of
    /// September nobody but who has left is locked out.
    fn ending(&self, span: Span) -> Span {
        let end = self.registered.school.year.end;
        let extended = Date::from_ymd_opt(end.year(), 10, 31).filter(|last| *last > end).unwrap_or(end);
        let to = span.to.filter(|to| *to != end).unwrap_or(extended);
        Span { from: span.from, to: Some(to) }
    }

    /// Whether the person is a pupil whose last class is at a site of the first cycle.
    fn is_of_first_cycle(&self, person: PersonId) -> bool {
        let Registered { directory, login, .. } = self.registered;
        let last = directory.pupils.get(&person).and_then(|pupil| pupil.classes.last());
        last.and_then(|(class, _)| directory.classes.get(class))
            .is_some_and(|class| login.first_cycle.contains(&class.site))
    }
}

#[cfg(test)]
mod tests;
