//! Year validity (*validità dell'anno*): presence of at least three quarters of the pupil's annual hours (DPR
//! 122/2009 art. 14 c. 7; D.Lgs 62/2017 art. 5). Hours, not days; whole numbers only.

/// How near the limit the pupil is; a colour, nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AbsenceLevel {
    /// Below the warning.
    Fine,
    /// From `absence_warn_pct` on.
    Warning,
    /// From `absence_danger_pct` on.
    Danger,
}

/// A pupil's hours against the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct YearValidity {
    /// Least hours of presence.
    pub least_presence: u32,
    /// Most hours of absence.
    pub most_absence: u32,
    /// Hours of absence, those of a previous school included.
    pub absence: u32,
    /// Whether 4 × absence ≤ annual hours.
    pub within_limit: bool,
    /// Whether the pupil may be assessed: within the limit, or with a waiver of the class council.
    pub may_be_assessed: bool,
    /// The colour.
    pub level: AbsenceLevel,
}

/// Judges a pupil's hours of absence against their annual hours.
pub fn year_validity(
    annual_hours: u32,
    absence: u32,
    absence_elsewhere: u32,
    waiver: bool,
    warn_pct: u8,
    danger_pct: u8,
) -> YearValidity {
    let absence = absence.saturating_add(absence_elsewhere);
    let most_absence = annual_hours / 4;
    let within_limit = u64::from(absence) * 4 <= u64::from(annual_hours);
    // Without annual hours (not known yet) no absence is no danger.
    let reaches =
        |pct: u8| absence > 0 && u64::from(absence) * 100 >= u64::from(annual_hours) * u64::from(pct);
    let level = if reaches(danger_pct) {
        AbsenceLevel::Danger
    } else if reaches(warn_pct) {
        AbsenceLevel::Warning
    } else {
        AbsenceLevel::Fine
    };
    YearValidity {
        least_presence: annual_hours - most_absence,
        most_absence,
        absence,
        within_limit,
        may_be_assessed: within_limit || waiver,
        level,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_quarters_of_the_usual_annual_hours() {
        let expected = [
            (891, 669, 222),
            (990, 743, 247),
            (1023, 768, 255),
            (1056, 792, 264),
            (1089, 817, 272),
            (1122, 842, 280),
            (1155, 867, 288),
        ];
        for (annual, presence, absence) in expected {
            let validity = year_validity(annual, 0, 0, false, 20, 25);
            assert_eq!((validity.least_presence, validity.most_absence), (presence, absence));
        }
    }

    #[test]
    fn exactly_a_quarter_is_valid_though_the_colour_says_danger() {
        let validity = year_validity(1056, 264, 0, false, 20, 25);
        assert!(validity.within_limit);
        assert_eq!(validity.level, AbsenceLevel::Danger);
        assert!(!year_validity(1056, 265, 0, false, 20, 25).within_limit);
    }
}
