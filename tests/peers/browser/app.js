// The app's side of a login: pushes a request (RFC 9126) bound to a key (RFC 9449), and waits on loopback for the code.

import { createHash, randomBytes, webcrypto } from "node:crypto";
import { createServer } from "node:http";

const base64 = (bytes) => Buffer.from(bytes).toString("base64url");

/** An app that waits on loopback. */
export async function app(issuer, offset) {
  const key = await webcrypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign"]);
  const { kty, crv, x, y } = await webcrypto.subtle.exportKey("jwk", key.publicKey);
  let received;
  const server = createServer((request, response) => {
    received?.(new URL(request.url, "http://127.0.0.1"));
    response.end("<!doctype html><html lang=it><title>App</title><h1>App</h1></html>");
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const redirect = `http://127.0.0.1:${server.address().port}/callback`;
  const verifiers = new Map();
  let nonce;

  async function proof(htu) {
    const header = { typ: "dpop+jwt", alg: "ES256", jwk: { kty, crv, x, y } };
    const iat = Math.floor((Date.now() + offset) / 1000);
    const claims = { jti: base64(randomBytes(16)), htm: "POST", htu, iat, ...(nonce && { nonce }) };
    const signed = `${base64(JSON.stringify(header))}.${base64(JSON.stringify(claims))}`;
    const algorithm = { name: "ECDSA", hash: "SHA-256" };
    return `${signed}.${base64(await webcrypto.subtle.sign(algorithm, key.privateKey, Buffer.from(signed)))}`;
  }

  /** Posts a form with a proof; once more if the server wants its nonce in it (RFC 9449 §8). */
  async function post(path, body) {
    for (let tries = 0; tries < 2; tries += 1) {
      const headers = { DPoP: await proof(issuer + path) };
      const answer = await fetch(issuer + path, { method: "POST", body: new URLSearchParams(body), headers });
      nonce = answer.headers.get("DPoP-Nonce") ?? nonce;
      const said = await answer.json();
      if (answer.ok) return said;
      if (said.error !== "use_dpop_nonce") throw new Error(`${path}: ${said.error}`);
    }
    throw new Error(`${path}: refused twice`);
  }

  return {
    /** Where the browser begins; `state` comes back with the answer. */
    async begin({ level = 1 } = {}) {
      const [state, verifier] = [base64(randomBytes(16)), base64(randomBytes(32))];
      verifiers.set(state, verifier);
      const { request_uri } = await post("/oauth/par", {
        client_id: "it.registro.app",
        response_type: "code",
        redirect_uri: redirect,
        scope: "openid offline_access register",
        resource: `${issuer}/v1`,
        state,
        nonce: base64(randomBytes(16)),
        code_challenge: base64(createHash("sha256").update(verifier).digest()),
        code_challenge_method: "S256",
        acr_values: `https://www.spid.gov.it/SpidL${level}`,
        prompt: "consent",
      });
      const query = new URLSearchParams({ client_id: "it.registro.app", request_uri });
      return { state, url: `${issuer}/oauth/authorize?${query}` };
    },
    /** Turns the code of an answer into a session. */
    redeem({ searchParams }) {
      return post("/oauth/token", {
        grant_type: "authorization_code",
        client_id: "it.registro.app",
        code: searchParams.get("code"),
        redirect_uri: redirect,
        code_verifier: verifiers.get(searchParams.get("state")),
      });
    },
    /** What comes back from the browser. */
    answer() {
      return new Promise((arrived) => { received = arrived; });
    },
    close() {
      server.close();
    },
  };
}
