// A real OAuth 2.0 / OpenID Connect server on loopback: npm oidc-provider.
//
// It plays two parts:
//   * the school hub, for the native app: public client, PAR, PKCE, DPoP,
//     `iss` in the response, refresh, revocation, introspection;
//   * a strict identity provider, for the hub's own relying-party code:
//     signed request object, private_key_jwt, userinfo as JWS inside JWE.
//
// Login and consent are plain HTML forms, so a test can drive them with any
// HTTP client that keeps cookies. Keys are made at start and nothing is stored.
//
//   node server.mjs --port 9400 --dpop-nonce

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import Provider, { interactionPolicy } from 'oidc-provider';

const HOST = '127.0.0.1';
const APP_CLIENT_ID = 'it.registro.app';
const API_RESOURCE = 'https://hub.registro.example/api';
const FISCAL_NUMBER = 'https://attributes.eid.gov.it/fiscal_number';
const LEVELS = [1, 2, 3].map((n) => `https://www.spid.gov.it/SpidL${n}`);
const PASSWORD = 'prova';

const DAY = 24 * 60 * 60;

// Invented people. `genitore2` is the same person as `genitore` (same fiscal
// number) with the name spelled differently: people are linked by fiscal number.
const ACCOUNTS = {
  docente: person('Anna', 'Verdi', '1975-05-10', 'VRDNNA75E50F205X'),
  genitore: person('Mario', 'Rossi', '1980-01-01', 'RSSMRA80A01H501U'),
  genitore2: person('Mario Luigi', 'Rossi', '1980-01-01', 'RSSMRA80A01H501U'),
  studente: person('Giulia', 'Bianchi', '2010-01-01', 'BNCGLI10A41H501J'),
  alunno: person('Luca', 'Neri', '2014-03-15', 'NRELCU14C15L219N'),
};

const options = readOptions();
const issuer = `http://${HOST}:${options.port}`;
const provider = new Provider(issuer, configuration());

provider.use(interactionPages);
logEvents(provider);
provider.listen(options.port, HOST, () => console.log(`ready ${issuer}`));

// ---------------------------------------------------------------- options

function readOptions() {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '9400' },
      // Demand a server nonce in every DPoP proof (RFC 9449 sections 8 and 9).
      'dpop-nonce': { type: 'boolean', default: false },
      // Refresh token rotation. `default` is the library's rule: a token bound
      // to a DPoP key is replaced once 70 % of its life has passed.
      rotation: { type: 'string', default: 'default' },
      'access-ttl': { type: 'string', default: '600' },
      'refresh-ttl': { type: 'string', default: String(30 * DAY) },
      // The signature of the app's ID tokens.
      'id-token-alg': { type: 'string', default: 'ES256' },
      // Confidential client: its entity id and a file with its public JWKS
      // (one signing key and one RSA encryption key).
      'rp-id': { type: 'string' },
      'rp-jwks': { type: 'string' },
    },
  });
  if (!['default', 'always', 'never'].includes(values.rotation)) {
    throw new Error('--rotation must be default, always or never');
  }
  if (Boolean(values['rp-id']) !== Boolean(values['rp-jwks'])) {
    throw new Error('--rp-id and --rp-jwks go together');
  }
  return {
    port: Number(values.port),
    dpopNonce: values['dpop-nonce'],
    rotation: values.rotation,
    accessTtl: Number(values['access-ttl']),
    refreshTtl: Number(values['refresh-ttl']),
    idTokenAlg: values['id-token-alg'],
    rpId: values['rp-id'],
    rpJwks: values['rp-jwks'],
  };
}

// ---------------------------------------------------------- configuration

function configuration() {
  return {
    jwks: { keys: [signingKey('ES256'), signingKey('RS256'), signingKey('PS256')] },
    clients: options.rpId ? [nativeApp(), confidentialClient()] : [nativeApp()],

    clientAuthMethods: ['none', 'private_key_jwt'],
    responseTypes: ['code'],
    scopes: ['openid', 'offline_access', 'profile'],
    claims: {
      acr: null,
      auth_time: null,
      iss: null,
      sid: null,
      openid: ['sub'],
      profile: ['given_name', 'family_name', 'birthdate', FISCAL_NUMBER],
    },
    acrValues: LEVELS,
    subjectTypes: ['public', 'pairwise'],
    pairwiseIdentifier: (ctx, accountId, client) => `${client.clientId}#${accountId}`,

    pkce: { required: () => true },
    rotateRefreshToken: { always: true, never: false }[options.rotation],
    ttl: {
      AccessToken: options.accessTtl,
      AuthorizationCode: 60,
      Grant: 400 * DAY,
      IdToken: 300,
      Interaction: 600,
      RefreshToken: options.refreshTtl,
      Session: 3600,
    },

    features: {
      claimsParameter: { enabled: true },
      devInteractions: { enabled: false },
      dPoP: {
        enabled: true,
        nonceSecret: randomBytes(32),
        requireNonce: () => options.dpopNonce,
      },
      encryption: { enabled: true },
      introspection: { enabled: true },
      jwtUserinfo: { enabled: true },
      pushedAuthorizationRequests: { enabled: true },
      requestObjects: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => undefined,
        useGrantedResource: () => true,
        getResourceServerInfo: apiResource,
      },
      revocation: { enabled: true },
    },
    enabledJWA: {
      clientAuthSigningAlgValues: ['RS256', 'RS512', 'ES256', 'PS256'],
      dPoPSigningAlgValues: ['ES256'],
      idTokenSigningAlgValues: ['ES256', 'RS256', 'PS256'],
      requestObjectSigningAlgValues: ['RS256', 'RS512', 'ES256', 'PS256'],
      userinfoEncryptionAlgValues: ['RSA-OAEP', 'RSA-OAEP-256'],
      userinfoEncryptionEncValues: ['A128CBC-HS256', 'A256CBC-HS512'],
      userinfoSigningAlgValues: ['RS256', 'ES256'],
    },

    cookies: { keys: [randomBytes(32).toString('hex')] },
    extraTokenClaims: levelAndPersonInAccessToken,
    findAccount,
    interactions: {
      policy: interactionRules(),
      url: (ctx, interaction) => `/interaction/${interaction.uid}`,
    },
  };
}

function nativeApp() {
  return {
    client_id: APP_CLIENT_ID,
    client_name: 'Registro',
    application_type: 'native',
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    // A loopback redirect is accepted on any port (RFC 8252 section 7.3).
    redirect_uris: [
      `http://${HOST}/callback`,
      'https://app.registro.example/callback',
      'it.registro.app:/callback',
    ],
    require_pushed_authorization_requests: true,
    dpop_bound_access_tokens: true,
    id_token_signed_response_alg: options.idTokenAlg,
  };
}

function confidentialClient() {
  const { keys } = JSON.parse(readFileSync(options.rpJwks, 'utf8'));
  if (keys.some((key) => 'd' in key)) {
    throw new Error(`${options.rpJwks} holds private keys: give public ones`);
  }
  return {
    client_id: options.rpId,
    client_name: 'Hub',
    application_type: 'web',
    token_endpoint_auth_method: 'private_key_jwt',
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    redirect_uris: [`${options.rpId}/callback`],
    subject_type: 'pairwise',
    jwks: { keys },
    require_signed_request_object: true,
    id_token_signed_response_alg: 'RS256',
    userinfo_signed_response_alg: 'RS256',
    userinfo_encrypted_response_alg: 'RSA-OAEP-256',
    userinfo_encrypted_response_enc: 'A256CBC-HS512',
  };
}

// Access tokens asked for with `resource=<API_RESOURCE>` are ES256 JWTs
// (RFC 9068). Without `resource` they are opaque and good for /me (userinfo).
function apiResource(ctx, resource) {
  return {
    audience: resource,
    scope: 'register.read register.write',
    accessTokenFormat: 'jwt',
    accessTokenTTL: options.accessTtl,
    jwt: { sign: { alg: 'ES256' } },
  };
}

// The API needs `acr` in the access token to answer with
// insufficient_user_authentication (RFC 9470), and the fiscal number to know
// whom it serves: `sub` is this provider's own name for a person.
function levelAndPersonInAccessToken(ctx, token) {
  const { AuthorizationCode: code, RefreshToken: refreshToken } = ctx.oidc.entities;
  return {
    acr: (code ?? refreshToken)?.acr,
    [FISCAL_NUMBER]: ACCOUNTS[token.accountId]?.[FISCAL_NUMBER],
  };
}

function findAccount(ctx, id) {
  const claims = ACCOUNTS[id];
  return claims && { accountId: id, claims: () => ({ sub: id, ...claims }) };
}

function person(givenName, familyName, birthdate, fiscalCode) {
  return {
    given_name: givenName,
    family_name: familyName,
    birthdate,
    [FISCAL_NUMBER]: `TINIT-${fiscalCode}`,
  };
}

function signingKey(alg) {
  const { privateKey } = alg === 'ES256'
    ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
    : generateKeyPairSync('rsa', { modulusLength: 2048 });
  const kid = `${alg}-${randomBytes(4).toString('hex')}`;
  return { ...privateKey.export({ format: 'jwk' }), alg, use: 'sig', kid };
}

// ------------------------------------------------------ login and consent

// Stock rules plus one: ask for a new login when the browser session is below
// every requested level. This is what makes step-up work.
function interactionRules() {
  const { base, Check } = interactionPolicy;
  const rules = base();
  rules.get('login').checks.add(new Check(
    'acr_too_low',
    'a higher authentication level is needed',
    ({ oidc }) => {
      const { acr_values: wanted } = oidc.params;
      if (!wanted || oidc.result?.login) return Check.NO_NEED_TO_PROMPT;
      const lowest = Math.min(...wanted.split(' ').map(level));
      return level(oidc.session.acr) < lowest
        ? Check.REQUEST_PROMPT
        : Check.NO_NEED_TO_PROMPT;
    },
  ));
  return rules;
}

function level(acr) {
  return LEVELS.indexOf(acr) + 1;
}

// GET shows the form, POST to the same address answers it:
//   login:   username, password and, if wanted, acr (the level really reached)
//   consent: nothing
//   either:  action=cancel ends with error=access_denied
async function interactionPages(ctx, next) {
  if (!ctx.path.startsWith('/interaction/')) return next();

  const interaction = await provider.interactionDetails(ctx.req, ctx.res);
  const { name } = interaction.prompt;
  if (ctx.method === 'GET') return showPage(ctx, interaction);

  const form = await readForm(ctx.req);
  let result;
  if (form.get('action') === 'cancel') {
    result = { error: 'access_denied', error_description: 'cancelled by the user' };
  } else if (name === 'login') {
    result = login(form, interaction.params);
  } else {
    result = await consent(interaction);
  }
  if (!result) {
    ctx.status = 401;
    return showPage(ctx, interaction, 'Credenziali non valide');
  }
  ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, result));
  ctx.status = 303;
}

function login(form, params) {
  const accountId = form.get('username');
  if (!Object.hasOwn(ACCOUNTS, accountId) || form.get('password') !== PASSWORD) {
    return undefined;
  }
  const preferred = params.acr_values?.split(' ').find(level) ?? LEVELS[0];
  return { login: { accountId, acr: form.get('acr') || preferred, remember: false } };
}

async function consent({ grantId, params, prompt: { details }, session }) {
  const grant = grantId
    ? await provider.Grant.find(grantId)
    : new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  if (details.missingOIDCScope) grant.addOIDCScope(details.missingOIDCScope.join(' '));
  if (details.missingOIDCClaims) grant.addOIDCClaims(details.missingOIDCClaims);
  for (const [resource, scopes] of Object.entries(details.missingResourceScopes ?? {})) {
    grant.addResourceScope(resource, scopes.join(' '));
  }
  return { consent: { grantId: await grant.save() } };
}

function showPage(ctx, { prompt: { name } }, message = '') {
  const fields = name === 'login'
    ? '<input name="username"> <input name="password" type="password"> <input name="acr">'
    : '';
  ctx.type = 'html';
  ctx.body = `<!doctype html><html lang="it"><title>${name}</title>
    <p>${message}</p>
    <form method="post">${fields}
      <button name="action" value="continue">Continua</button>
      <button name="action" value="cancel">Annulla</button>
    </form></html>`;
}

async function readForm(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return new URLSearchParams(Buffer.concat(chunks).toString());
}

// ---------------------------------------------------------------- logging

// The response says `invalid_grant`; the reason is only in this log.
function logEvents(server) {
  const failures = [
    'authorization.error', 'grant.error', 'introspection.error',
    'pushed_authorization_request.error', 'revocation.error', 'userinfo.error',
  ];
  for (const event of failures) {
    server.on(event, (ctx, error) => console.error(
      event,
      [error.error, error.error_description, error.error_detail].filter(Boolean).join(': '),
    ));
  }
  for (const event of ['grant.revoked', 'refresh_token.consumed', 'refresh_token.saved']) {
    server.on(event, () => console.error(event));
  }
  server.on('server_error', (ctx, error) => console.error('server_error', error));
}
