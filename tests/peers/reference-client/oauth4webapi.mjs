// A login with oauth4webapi, on a device whose clock is wrong: proofs get in with the hub's nonces alone. Then the
// access token is judged as a resource server would (RFC 9068, RFC 9449). Arguments: issuer, and the seconds by
// which the hub's clock is ahead of this one.

import * as oauth from 'oauth4webapi'
import { browse, same } from './line.mjs'

const [issuer, ahead] = process.argv.slice(2)
const redirect = 'http://127.0.0.1:4000/callback'
const http = { [oauth.allowInsecureRequests]: true }

const discovered = await oauth.discoveryRequest(new URL(issuer), { algorithm: 'oauth2', ...http })
const as = await oauth.processDiscoveryResponse(new URL(issuer), discovered)
// An hour behind the hub.
const client = { client_id: 'it.registro.app', [oauth.clockSkew]: Number(ahead) - 3600 }
const auth = oauth.None()
const keys = await oauth.generateKeyPair('ES256')
const DPoP = oauth.DPoP(client, keys)

/** Does it once more if the server asks for a nonce. */
async function withNonce(act) {
  let asked = 0
  for (;;) {
    try {
      return [await act(), asked]
    } catch (error) {
      if (!oauth.isDPoPNonceError(error) || asked > 0) throw error
      asked += 1
    }
  }
}

const verifier = oauth.generateRandomCodeVerifier()
const state = oauth.generateRandomState()
const parameters = {
  response_type: 'code',
  redirect_uri: redirect,
  scope: 'offline_access register',
  state,
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
}
const [pushed, asked] = await withNonce(async () =>
  oauth.processPushedAuthorizationResponse(
    as,
    client,
    await oauth.pushedAuthorizationRequest(as, client, auth, parameters, { DPoP, ...http }),
  ),
)
same(asked, 1, 'nonces asked for')
const url = new URL(as.authorization_endpoint)
url.searchParams.set('client_id', client.client_id)
url.searchParams.set('request_uri', pushed.request_uri)
const answer = oauth.validateAuthResponse(as, client, await browse(url), state)

const [tokens] = await withNonce(async () =>
  oauth.processAuthorizationCodeResponse(
    as,
    client,
    await oauth.authorizationCodeGrantRequest(as, client, auth, answer, redirect, verifier, { DPoP, ...http }),
  ),
)
const [response] = await withNonce(() =>
  oauth.protectedResourceRequest(
    tokens.access_token,
    'GET',
    new URL(`${issuer}/v1/session`),
    undefined,
    undefined,
    { DPoP, ...http },
  ),
)
const session = await response.json()

// The request as a resource server gets it, with a proof of the token's key, and of another one.
const inTime = { [oauth.clockSkew]: Number(ahead) }
async function judgement(pair) {
  let seen
  await oauth.protectedResourceRequest(tokens.access_token, 'GET', new URL(`${issuer}/v1/session`), undefined, undefined, {
    DPoP: oauth.DPoP(inTime, pair),
    ...http,
    [oauth.customFetch]: async (address, options) => {
      seen = new Request(address, { method: options.method, headers: options.headers })
      return new Response('{}')
    },
  })
  const options = { ...http, ...inTime, signingAlgorithms: ['ES256'], requireDPoP: true }
  return oauth.validateJwtAccessToken(as, seen, `${issuer}/v1`, options).then(
    (claims) => claims.sub,
    () => 'refused',
  )
}
same(await judgement(keys), session.person, 'token and its proof')
same(await judgement(await oauth.generateKeyPair('ES256')), 'refused', 'proof of another key')

const [renewed] = await withNonce(async () =>
  oauth.processRefreshTokenResponse(
    as,
    client,
    await oauth.refreshTokenGrantRequest(as, client, auth, tokens.refresh_token, { DPoP, ...http }),
  ),
)
same(renewed.token_type, 'dpop', 'token type')
await oauth.processRevocationResponse(
  await oauth.revocationRequest(as, client, auth, tokens.refresh_token, http),
)
console.log(JSON.stringify({ person: session.person, name: session.name, level: session.level }))
