// A whole login with openid-client, an independent and certified client: discovery, PAR, PKCE, DPoP, ID token,
// the API, refresh, revocation. Arguments: issuer, and the seconds by which the hub's clock is ahead of this one.

import * as client from 'openid-client'
import { browse, same } from './line.mjs'

const [issuer, ahead] = process.argv.slice(2)
const level = 'https://www.spid.gov.it/SpidL2'
const redirect = 'http://127.0.0.1:4000/callback'

const config = await client.discovery(
  new URL(issuer),
  'it.registro.app',
  { id_token_signed_response_alg: 'ES256', [client.clockSkew]: Number(ahead) },
  client.None(),
  { execute: [client.allowInsecureRequests] },
)
const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'))
const verifier = client.randomPKCECodeVerifier()
const [state, nonce] = [client.randomState(), client.randomNonce()]
const url = await client.buildAuthorizationUrlWithPAR(
  config,
  {
    redirect_uri: redirect,
    scope: 'openid offline_access register',
    resource: `${issuer}/v1`,
    state,
    nonce,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    acr_values: level,
    prompt: 'consent',
  },
  { DPoP },
)
const callback = await browse(url)
const tokens = await client.authorizationCodeGrant(
  config,
  callback,
  { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true },
  undefined,
  { DPoP },
)
same(tokens.token_type, 'dpop', 'token type')
same(tokens.claims().acr, level, 'level')

const api = (token) =>
  client.fetchProtectedResource(config, token, new URL(`${issuer}/v1/session`), 'GET', undefined, undefined, { DPoP })
const session = await (await api(tokens.access_token)).json()
same(session.person, tokens.claims().sub, 'person')

const renewed = await client.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP })
same((await api(renewed.access_token)).status, 200, 'renewed access')
await client.tokenRevocation(config, tokens.refresh_token)
const after = await api(renewed.access_token).then(
  (response) => response.status,
  (error) => error.status ?? error.response?.status,
)
same(after, 401, 'after revocation')
const dead = await client.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP }).catch((error) => error)
same(dead.error, 'invalid_grant', 'dead refresh token')
console.log(JSON.stringify({ person: session.person, name: session.name, level: session.level }))
