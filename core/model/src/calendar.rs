//! The school calendar: which days have lessons, in which term, with which slots.

use chrono::{Datelike, Days};

use crate::ids::SiteCode;
use crate::school::{BellSlot, DayStatus, School, Term};
use crate::time::Date;

/// 1 Monday … 7 Sunday.
pub fn weekday(date: Date) -> u8 {
    date.weekday().number_from_monday() as u8
}

impl School {
    /// What a day is at a site. A national day (*NW*) wins over everything; weekly closed days are non-working.
    /// Days outside the lessons' period have no lessons.
    pub fn day_status(&self, site: &SiteCode, date: Date) -> DayStatus {
        let listed = self
            .closed_days
            .iter()
            .filter(|closed| closed.date == date && closed.site.as_ref().is_none_or(|s| s == site))
            .map(|closed| closed.status)
            .max();
        if listed == Some(DayStatus::NonWorking) || self.settings.weekly_closed_days.contains(&weekday(date))
        {
            return DayStatus::NonWorking;
        }
        match listed {
            Some(status) => status,
            None if date < self.year.lessons_from || date > self.year.lessons_to => DayStatus::Holiday,
            None => DayStatus::Lesson,
        }
    }

    /// Whether there are lessons at the site on that day.
    pub fn is_lesson_day(&self, site: &SiteCode, date: Date) -> bool {
        self.day_status(site, date) == DayStatus::Lesson
    }

    /// Lesson days of a site between two days, both included, in order.
    pub fn lesson_days(&self, site: &SiteCode, from: Date, to: Date) -> Vec<Date> {
        let from = from.max(self.year.lessons_from);
        let to = to.min(self.year.lessons_to);
        from.iter_days()
            .take_while(|date| *date <= to)
            .filter(|date| self.is_lesson_day(site, *date))
            .collect()
    }

    /// The first lesson day after a day, within the year.
    pub fn next_lesson_day(&self, site: &SiteCode, date: Date) -> Option<Date> {
        let start = date.checked_add_days(Days::new(1))?.max(self.year.lessons_from);
        start.iter_days().take_while(|d| *d <= self.year.lessons_to).find(|d| self.is_lesson_day(site, *d))
    }

    /// The term that a day belongs to.
    pub fn term_of(&self, date: Date) -> Option<&Term> {
        self.terms.iter().find(|term| term.start <= date && date <= term.end)
    }

    /// The slots of a site on a day, in order. Empty on a day without lessons.
    pub fn slots_of(&self, site: &SiteCode, date: Date) -> Vec<&BellSlot> {
        if !self.is_lesson_day(site, date) {
            return Vec::new();
        }
        let weekday = weekday(date);
        let mut slots: Vec<_> =
            self.slots.iter().filter(|s| s.site == *site && s.weekday == weekday).collect();
        slots.sort_by_key(|slot| slot.position);
        slots
    }
}
