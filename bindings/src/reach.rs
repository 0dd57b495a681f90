//! Whether a school's hub answers, before anybody logs in.

use registro_sync::http::{HttpError, HubClient};

/// Why a hub could not be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum HubUnreachable {
    /// The address is neither `https://` nor `http://` to this very device: correct it.
    #[error("the address is not one that the register talks to")]
    Address,
    /// Nobody answered within 30 seconds: try again later.
    #[error("nobody answers")]
    Offline,
    /// Something answered that is not a hub, or a hub that is not ready to serve.
    #[error("what answered is not a hub that serves")]
    NotServing,
}

/// Asks whether a hub serves at this address, so that a mistyped one is found before the login.
///
/// `address` is what the school gives out, such as `https://registro.example.it`. Sends nothing about the person.
/// Waits up to 30 seconds; cancelling it is harmless.
///
/// # Errors
/// `Address`, `Offline`, `NotServing`.
#[uniffi::export(async_runtime = "tokio")]
pub async fn check_hub(address: String) -> Result<(), HubUnreachable> {
    let answer = HubClient::for_development(&address)?.get("/readyz", None).await;
    answer.map(drop).map_err(HubUnreachable::from)
}

impl From<HttpError> for HubUnreachable {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::Address => Self::Address,
            HttpError::Unreachable | HttpError::Timeout | HttpError::WrongClock => Self::Offline,
            HttpError::Unauthorized
            | HttpError::HigherLevel { .. }
            | HttpError::Forbidden
            | HttpError::Session(_)
            | HttpError::Untrusted(_)
            | HttpError::Busy(_)
            | HttpError::Status(_)
            | HttpError::TooLarge
            | HttpError::Wire(_) => Self::NotServing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::HubUnreachable;

    #[test]
    fn plain_http_to_elsewhere_is_an_address_to_correct() {
        let address = registro_sync::http::HubClient::for_development("http://registro.example.it").map(drop);
        assert_eq!(address.map_err(HubUnreachable::from), Err(HubUnreachable::Address));
    }
}
