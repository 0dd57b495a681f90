//! What the token endpoint gives, by the `oauth2` crate's requests and types. They do not leave this file: their
//! `Debug` prints what they do not know.

use std::sync::Arc;

use oauth2::basic::{
    BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse, BasicTokenType,
};
use oauth2::{
    AuthorizationCode, ClientId, EndpointNotSet, EndpointSet, ExtraTokenFields, HttpRequest, HttpResponse,
    PkceCodeVerifier, RedirectUrl, RefreshToken, RequestTokenError, StandardRevocableToken,
    StandardTokenResponse, TokenResponse, TokenUrl,
};
use registro_sync::http::Later;
use serde::{Deserialize, Serialize};

use super::Shared;
use super::options::LoginOptions;
use crate::error::{LoginError, Unsafe};
use crate::secret::Secret;

/// The member of OpenID Connect Core §3.1.3.3. Redacted, because the crate's `Debug` prints it.
#[derive(Debug, Serialize, Deserialize)]
struct IdTokenField {
    #[serde(default)]
    id_token: Option<Secret>,
}

impl ExtraTokenFields for IdTokenField {}

type Response = StandardTokenResponse<IdTokenField, BasicTokenType>;
type Failure = RequestTokenError<LoginError, BasicErrorResponse>;
type Client = oauth2::Client<
    BasicErrorResponse,
    Response,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// What a code or a refresh token was redeemed for.
pub(super) struct Tokens {
    pub access: Secret,
    /// Seconds; absent if the server does not say.
    pub expires_in: Option<u64>,
    pub refresh: Option<Secret>,
    pub id_token: Option<Secret>,
}

impl Tokens {
    fn new(response: &Response) -> Result<Self, LoginError> {
        // RFC 9449 §5: a token of another type is not bound to the key, and would be worth stealing.
        match response.token_type() {
            BasicTokenType::Extension(kind) if kind.eq_ignore_ascii_case("dpop") => {}
            _ => return Err(Unsafe::TokenType.into()),
        }
        let secret = |token: &str| if token.is_empty() { None } else { Some(Secret::new(token)) };
        Ok(Self {
            access: secret(response.access_token().secret()).ok_or(Unsafe::Answer)?,
            expires_in: response.expires_in().map(|duration| duration.as_secs()),
            refresh: response.refresh_token().and_then(|token| secret(token.secret())),
            id_token: response.extra_fields().id_token.clone(),
        })
    }
}

fn client(options: &LoginOptions, endpoint: &str) -> Result<Client, LoginError> {
    let endpoint = TokenUrl::new(endpoint.to_owned()).map_err(|_| Unsafe::Endpoint)?;
    Ok(oauth2::Client::new(ClientId::new(options.client_id.clone())).set_token_uri(endpoint))
}

/// Carries the crate's requests with proofs by the key of that name. It owns what it needs: with anything borrowed
/// the compiler cannot tell that the crate's future may go from one thread to another.
fn carrier(shared: &Arc<Shared>, alias: &str) -> impl Fn(HttpRequest) -> Carried + 'static + Send + Sync {
    let (shared, alias) = (Arc::clone(shared), alias.to_owned());
    move |request| {
        let (shared, alias) = (Arc::clone(&shared), alias.clone());
        Box::pin(async move { shared.server.carry(request, &alias).await })
    }
}

type Carried = Later<'static, Result<HttpResponse, LoginError>>;

/// Redeems a code (RFC 6749 §4.1.3, RFC 7636 §4.5).
pub(super) async fn redeem(
    shared: &Arc<Shared>,
    endpoint: &str,
    alias: &str,
    code: &Secret,
    verifier: &Secret,
    redirect: &str,
) -> Result<Tokens, LoginError> {
    let options = shared.server.options();
    let redirect = RedirectUrl::new(redirect.to_owned()).map_err(|_| Unsafe::Callback)?;
    let client = client(options, endpoint)?.set_redirect_uri(redirect);
    let mut request = client
        .exchange_code(AuthorizationCode::new(code.reveal().to_owned()))
        .set_pkce_verifier(PkceCodeVerifier::new(verifier.reveal().to_owned()));
    if let Some(resource) = &options.resource {
        request = request.add_extra_param("resource", resource);
    }
    let carry = carrier(shared, alias);
    Tokens::new(&request.request_async(&carry).await.map_err(read)?)
}

/// Redeems a refresh token (RFC 6749 §6).
pub(super) async fn renew(
    shared: &Arc<Shared>,
    endpoint: &str,
    alias: &str,
    refresh: &Secret,
) -> Result<Tokens, LoginError> {
    let options = shared.server.options();
    let client = client(options, endpoint)?;
    let refresh = RefreshToken::new(refresh.reveal().to_owned());
    let mut request = client.exchange_refresh_token(&refresh);
    if let Some(resource) = &options.resource {
        request = request.add_extra_param("resource", resource);
    }
    let carry = carrier(shared, alias);
    Tokens::new(&request.request_async(&carry).await.map_err(read)?)
}

/// What the carrier does not refuse is JSON with status 200: the rest is that it does not read.
fn read(failure: Failure) -> LoginError {
    match failure {
        RequestTokenError::Request(error) => error,
        _ => Unsafe::Answer.into(),
    }
}
