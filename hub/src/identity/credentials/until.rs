//! The last day of the school's own credentials (`password_login_until`). The head sets it; without one the method is
//! off, because the law names SPID and CIE (D.L. 76/2020 art. 24(4); L. 182/2025 art. 51).

use registro_model::Date;

use super::{Credentials, tables};
use crate::error::HubError;

const UNTIL: &str = "password_login_until";

impl Credentials {
    /// The last day, if one is set.
    pub fn until(&self) -> Result<Option<Date>, HubError> {
        let text = tables::setting(&*self.store.lock()?, UNTIL)?;
        text.map(|text| {
            text.parse().map_err(|_| HubError::Stored("the last day of the school's credentials"))
        })
        .transpose()
    }

    /// Sets the last day; none turns the method off.
    pub fn set_until(&self, last: Option<Date>) -> Result<(), HubError> {
        tables::set(&*self.store.lock()?, UNTIL, last.map(|date| date.to_string()).as_deref())
    }

    /// Whether the school allows its own credentials on a day.
    pub fn is_allowed(&self, today: Date) -> Result<bool, HubError> {
        Ok(self.until()?.is_some_and(|last| today <= last))
    }
}
