//! Which days have lessons (K1, K2): worked years, and the sample school as its files say it.

use chrono::{Datelike, Weekday};
use proptest::prelude::*;
use registro_model::Date;
use registro_model::school::{DayStatus, School};

use crate::school::{bell, close, date, school, site, term};

fn lesson_days(school: &School, at: &str) -> usize {
    school.lesson_days(&site(at), school.year.lessons_from, school.year.lessons_to).len()
}

fn count(school: &School, at: &str, from: &str, to: &str, status: DayStatus) -> usize {
    let days = date(from).iter_days().take_while(|day| *day <= date(to));
    days.filter(|day| school.day_status(&site(at), *day) == status).count()
}

fn year_2018() -> School {
    let mut school = school("2018-09-13", "2019-06-08");
    close(&mut school, "2018-11-02", "2018-11-03", DayStatus::Holiday, None);
    close(&mut school, "2018-12-24", "2019-01-05", DayStatus::Holiday, None);
    close(&mut school, "2019-04-18", "2019-04-24", DayStatus::Holiday, None);
    for day in [
        "2018-11-01",
        "2018-12-08",
        "2018-12-25",
        "2018-12-26",
        "2019-01-01",
        "2019-01-06",
        "2019-04-22",
        "2019-04-25",
        "2019-05-01",
        "2019-06-02",
    ] {
        close(&mut school, day, day, DayStatus::NonWorking, None);
    }
    school
}

#[test]
fn k1_a_six_day_year_has_207_lesson_days_and_206_with_a_patron_on_a_weekday() {
    let mut year = year_2018();
    assert_eq!(lesson_days(&year, "C"), 207);
    close(&mut year, "2019-03-12", "2019-03-12", DayStatus::NonWorking, Some("C"));
    assert_eq!(lesson_days(&year, "C"), 206);
    assert_eq!(lesson_days(&year, "S"), 207, "the patron is one site's");
}

#[test]
fn k2_a_national_day_wins_over_a_holiday_and_a_sunday_is_non_working() {
    let mut year = school("2022-01-10", "2022-07-31");
    close(&mut year, "2022-02-28", "2022-03-02", DayStatus::Holiday, None);
    close(&mut year, "2022-04-14", "2022-04-19", DayStatus::Holiday, None);
    close(&mut year, "2022-06-09", "2022-07-31", DayStatus::Holiday, None);
    close(&mut year, "2022-04-25", "2022-04-25", DayStatus::NonWorking, None);
    close(&mut year, "2022-06-02", "2022-06-02", DayStatus::NonWorking, None);
    let of = |status| count(&year, "C", "2022-01-10", "2022-07-31", status);
    assert_eq!((of(DayStatus::Lesson), of(DayStatus::Holiday), of(DayStatus::NonWorking)), (119, 53, 31));
    // Easter Monday is in the school's holidays here; Easter is a Sunday.
    assert_eq!(year.day_status(&site("C"), date("2022-04-18")), DayStatus::Holiday);
    assert_eq!(year.day_status(&site("C"), date("2022-04-17")), DayStatus::NonWorking);
    // Listed twice, in either order.
    close(&mut year, "2022-04-14", "2022-04-14", DayStatus::NonWorking, None);
    close(&mut year, "2022-04-14", "2022-04-14", DayStatus::NoLesson, None);
    assert_eq!(year.day_status(&site("C"), date("2022-04-14")), DayStatus::NonWorking);
}

/// The sample school's calendar, with its terms.
fn sample() -> School {
    let mut sample = school("2026-09-14", "2027-06-08");
    sample.terms = vec![term("P", 1, "2026-09-14", "2026-12-22"), term("F", 2, "2027-01-07", "2027-06-08")];
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/istituto/calendario.csv");
    for line in std::fs::read_to_string(path).unwrap().lines().skip(1) {
        let cells: Vec<_> = line.split(';').collect();
        let iso = |text: &str| text.split('/').rev().collect::<Vec<_>>().join("-");
        let status = match cells[2] {
            "NW" => DayStatus::NonWorking,
            "HD" => DayStatus::Holiday,
            "ND" => DayStatus::NoLesson,
            other => panic!("{other}"),
        };
        let at = Some(cells[4]).filter(|at| !at.is_empty());
        close(&mut sample, &iso(cells[0]), &iso(cells[1]), status, at);
    }
    sample
}

#[test]
fn the_sample_school_has_the_lesson_days_that_it_states() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/istituto/expected.json");
    let stated: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    for at in ["C", "S"] {
        for (week, closed) in [("6", vec![7]), ("5", vec![6, 7])] {
            let mut sample = sample();
            sample.settings.weekly_closed_days = closed;
            let stated = &stated["giorni_di_lezione"][at][week];
            assert_eq!(serde_json::json!(lesson_days(&sample, at)), *stated, "{at}, {week} days");
        }
    }
}

#[test]
fn the_sample_school_is_closed_for_the_reasons_that_its_file_gives() {
    let sample = sample();
    // 38 Sundays and 9 national days or patron on other days; 204 + 17 + 47 = 268 days.
    let of = |at, status| count(&sample, at, "2026-09-14", "2027-06-08", status);
    assert_eq!(of("C", DayStatus::NonWorking), 47);
    assert_eq!(of("C", DayStatus::Holiday), 17);
    assert_eq!(of("C", DayStatus::NoLesson), 0);
    assert_eq!(of("S", DayStatus::NoLesson), 2);
    // The year's days outside the lessons have none.
    assert_eq!(sample.day_status(&site("C"), date("2026-09-01")), DayStatus::Holiday);
    assert_eq!(sample.day_status(&site("C"), date("2027-06-09")), DayStatus::Holiday);
}

#[test]
fn the_sample_schools_terms_divide_its_lesson_days() {
    let sample = sample();
    let days = |at: &str, code: &str| {
        let term = sample.terms.iter().find(|term| term.code == code).unwrap();
        sample.lesson_days(&site(at), term.start, term.end).len()
    };
    assert_eq!((days("C", "P"), days("C", "F")), (83, 121));
    assert_eq!((days("S", "P"), days("S", "F")), (82, 120));
    assert_eq!(sample.term_of(date("2026-12-22")).unwrap().code, "P");
    assert_eq!(sample.term_of(date("2026-12-23")), None, "terms may leave a gap");
    assert_eq!(sample.term_of(date("2027-01-07")).unwrap().code, "F");
    assert_eq!(sample.next_lesson_day(&site("C"), date("2026-12-22")), Some(date("2027-01-07")));
    assert_eq!(sample.next_lesson_day(&site("C"), date("2027-06-08")), None);
    assert_eq!(sample.next_lesson_day(&site("C"), date("2026-08-01")), Some(date("2026-09-14")));
}

#[test]
fn slots_are_those_of_site_and_weekday_in_order_and_none_on_a_closed_day() {
    let mut sample = sample();
    sample.slots = vec![
        bell("C", 1, 2, "09:20", "10:20", 2),
        bell("C", 1, 1, "08:20", "09:20", 2),
        bell("S", 1, 1, "08:30", "09:30", 2),
        bell("C", 2, 1, "08:20", "09:20", 2),
    ];
    let positions = |at: &str, day: &str| {
        let slots = sample.slots_of(&site(at), date(day));
        slots.iter().map(|slot| (slot.position, slot.start.to_string())).collect::<Vec<_>>()
    };
    assert_eq!(positions("C", "2026-11-23"), [(1, "08:20".into()), (2, "09:20".into())]);
    assert_eq!(positions("S", "2026-11-23"), [(1, "08:30".into())]);
    assert_eq!(positions("C", "2026-12-07"), []);
    assert_eq!(positions("C", "2026-11-22"), []);
}

fn days() -> impl Strategy<Value = Vec<(Date, Option<bool>, u8)>> {
    let day = (0u64..300, proptest::option::of(any::<bool>()), 0u8..3)
        .prop_map(|(n, at, status)| (date("2026-09-01") + chrono::Days::new(n), at, status));
    proptest::collection::vec(day, 0..40)
}

proptest! {
    /// Closing one more day never opens one, and lesson days are exactly the days that are open.
    #[test]
    fn a_closed_day_more_never_gives_a_lesson_day_more(closed in days(), more in days()) {
        let mut year = school("2026-09-14", "2027-06-08");
        let statuses = [DayStatus::NoLesson, DayStatus::Holiday, DayStatus::NonWorking];
        let close_all = |year: &mut School, days: &[(Date, Option<bool>, u8)]| {
            for (day, at, status) in days {
                let at = at.map(|central| if central { "C" } else { "S" });
                let day = day.to_string();
                close(year, &day, &day, statuses[usize::from(*status)], at);
            }
        };
        close_all(&mut year, &closed);
        let before = year.lesson_days(&site("C"), date("2026-01-01"), date("2028-01-01"));
        for day in &before {
            prop_assert!(year.is_lesson_day(&site("C"), *day) && day.weekday() != Weekday::Sun);
        }
        // Each lesson day is the next after the one before.
        for pair in before.windows(2) {
            prop_assert_eq!(year.next_lesson_day(&site("C"), pair[0]), Some(pair[1]));
        }
        close_all(&mut year, &more);
        let after = year.lesson_days(&site("C"), date("2026-01-01"), date("2028-01-01"));
        prop_assert!(after.iter().all(|day| before.contains(day)));
    }
}
