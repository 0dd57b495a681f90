//! How surely an author must have logged in.

use crate::kind::Kind;

/// Whether a fact of this section may only be written in a session with two factors (SPID or CIE level 2): marks and
/// councils. Everything else is written in any session. Source: PROTOCOL §6.
pub fn needs_two_factors(kind: Kind, section: &str) -> bool {
    kind == Kind::TermCouncil || section == "marks"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_and_councils_need_two_factors_and_a_roll_call_does_not() {
        assert!(needs_two_factors(Kind::PupilRecord, "marks"));
        for section in Kind::TermCouncil.sections() {
            assert!(needs_two_factors(Kind::TermCouncil, section), "{section}");
        }
        for (kind, section) in [
            (Kind::PupilRecord, "attendance"),
            (Kind::PupilRecord, "justifications"),
            (Kind::ClassMonth, "rolls"),
            (Kind::ClassMonth, "lessons"),
            (Kind::PupilGuardians, "meetings"),
        ] {
            assert!(!needs_two_factors(kind, section), "{section}");
        }
    }
}
