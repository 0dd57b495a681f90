//! Whom a fiscal number names, whether they may log in, where mail reaches them.
//!
//! | module | what |
//! |---|---|
//! | [`entitlement`] | whether a person may log in on a day, and until when |
//! | [`month_day`] | a day of every year, as a setting |

pub mod entitlement;
pub mod month_day;

use registro_model::{Date, PersonId};

use super::Identity;
use crate::error::HubError;
use crate::import::fiscal_code;

pub use entitlement::{Entitlement, Refusal};
pub use month_day::MonthDay;

/// What stands before an Italian fiscal code where SPID and CIE state one (`fiscalNumber`, AgID's table of attributes;
/// ETSI EN 319 412-1 §5.1.3).
const ITALIAN: &str = "TINIT-";

impl Identity {
    /// The person whom a fiscal number names, with or without its prefix `TINIT-`. Only fiscal codes count: a code
    /// of the staff or a pupil's number names nobody here.
    pub fn person_by_fiscal_number(&self, number: &str) -> Result<Option<PersonId>, HubError> {
        let code = number.trim().to_uppercase();
        let code = code.strip_prefix(ITALIAN).unwrap_or(&code);
        if fiscal_code::check(code).is_err() {
            return Ok(None);
        }
        self.hub.person_by_fiscal_code(code)
    }

    /// Whether the person may log in on that day, and until when.
    pub fn entitlement(&self, person: PersonId, today: Date) -> Result<Entitlement, HubError> {
        let revoked_on = self.config.leavers_revoked_on;
        self.hub.look(|registered| entitlement::of(registered, revoked_on, person, today))
    }

    /// The person's name, as people write it; `None` if nobody has this id.
    pub fn name(&self, person: PersonId) -> Result<Option<String>, HubError> {
        self.hub.look(|registered| registered.name_of(person).map(str::to_owned))
    }

    /// What the person is on that day: `head`, `office`, `teacher`, `support`, `guardian`, `pupil`.
    pub fn roles(&self, person: PersonId, today: Date) -> Result<Vec<&'static str>, HubError> {
        self.hub.look(|registered| registered.roles_of(person, today))
    }

    /// The person's address in the office's files: the one to which a forgotten password may be reset.
    pub fn email_of(&self, person: PersonId) -> Result<Option<String>, HubError> {
        self.hub.look(|registered| registered.login.emails.get(&person).cloned())
    }
}
