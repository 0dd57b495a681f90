//! The year's validity: three quarters of the annual hours.

use proptest::prelude::*;
use registro_model::validity::{AbsenceLevel, year_validity};

#[test]
fn beyond_a_quarter_the_pupil_is_not_assessed_unless_the_council_waives_it() {
    let judged = |absence, waiver| year_validity(1056, absence, 0, waiver, 20, 25);
    assert!(judged(264, false).may_be_assessed);
    assert!(!judged(265, false).may_be_assessed);
    let waived = judged(265, true);
    assert!(waived.may_be_assessed && !waived.within_limit);
}

#[test]
fn hours_of_a_previous_school_count() {
    let validity = year_validity(1056, 200, 65, false, 20, 25);
    assert_eq!((validity.absence, validity.within_limit), (265, false));
}

#[test]
fn the_colours_begin_at_twenty_and_twenty_five_percent() {
    let level = |absence| year_validity(1000, absence, 0, false, 20, 25).level;
    assert_eq!(level(0), AbsenceLevel::Fine);
    assert_eq!(level(199), AbsenceLevel::Fine);
    assert_eq!(level(200), AbsenceLevel::Warning);
    assert_eq!(level(249), AbsenceLevel::Warning);
    assert_eq!(level(250), AbsenceLevel::Danger);
}

#[test]
fn without_annual_hours_and_absences_there_is_no_danger() {
    let unknown = year_validity(0, 0, 0, false, 20, 25);
    assert_eq!((unknown.level, unknown.within_limit), (AbsenceLevel::Fine, true));
    assert_eq!(year_validity(0, 1, 0, false, 20, 25).level, AbsenceLevel::Danger);
}

proptest! {
    /// More absence never makes the year valid again, never lowers the level; presence and absence add up.
    #[test]
    fn validity_is_monotone(
        annual in 0u32..3000, absence in 0u32..4000, elsewhere in 0u32..500, more in 0u32..500, waiver: bool,
        warn in 1u8..=100, danger in 1u8..=100,
    ) {
        let before = year_validity(annual, absence, elsewhere, waiver, warn, danger);
        let after = year_validity(annual, absence + more, elsewhere, waiver, warn, danger);
        prop_assert!(before.within_limit || !after.within_limit);
        prop_assert!(before.may_be_assessed || !after.may_be_assessed);
        prop_assert!(after.level >= before.level);
        prop_assert_eq!(before.least_presence + before.most_absence, annual);
        prop_assert_eq!(before.within_limit, before.absence <= before.most_absence);
        prop_assert_eq!(before.within_limit, 4 * (absence + elsewhere) <= annual);
        // Where an absence was made does not matter, and no hours overflow.
        let moved = year_validity(annual, absence + elsewhere, 0, waiver, warn, danger);
        prop_assert_eq!(moved, before);
        prop_assert!(!year_validity(annual, u32::MAX, u32::MAX, false, warn, danger).within_limit);
    }
}
