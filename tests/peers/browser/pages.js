// Every page of the login, in both languages: what a person does, without JavaScript, and what axe finds there.
// Reads what there is from the file named on the command line; prints what was looked at.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { app as openApp } from "./app.js";
import { eyes, tabTo } from "./look.js";

const plan = JSON.parse(readFileSync(process.argv[2], "utf8"));
const { issuer, outbox, offset } = plan;
const GOOD = "tre civette sul comò";
const OTHER = "un tavolo viola nella pioggia";
const seconds = (count) => new Promise((passed) => setTimeout(passed, count * 1000));

/** The link of a mail that has arrived, and takes it away. */
async function mailed(path) {
  for (let tries = 0; tries < 100; tries += 1) {
    for (const name of readdirSync(outbox).filter((file) => file.endsWith(".eml"))) {
      const text = readFileSync(join(outbox, name), "latin1").replaceAll("=\r\n", "").replaceAll("=3D", "=");
      const link = text.match(new RegExp(`${issuer}${path}\\?[^\\s]+`));
      if (link) {
        rmSync(join(outbox, name));
        return link[0];
      }
    }
    await seconds(0.2);
  }
  throw new Error(`no mail with a link to ${path}`);
}

/** What an authenticator app shows (RFC 6238). */
function oneTimeCode(key, step = 0) {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...key.replaceAll(" ", "")].map((letter) => letters.indexOf(letter).toString(2).padStart(5, "0")).join("");
  const bytes = Buffer.from(bits.match(/.{8}/g).map((eight) => parseInt(eight, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor((Date.now() + offset) / 30000) + step));
  const tag = createHmac("sha1", bytes).update(counter).digest();
  const at = tag[19] & 15;
  return String((tag.readUInt32BE(at) & 0x7fffffff) % 1000000).padStart(6, "0");
}

async function fill(page, values) {
  for (const [id, value] of Object.entries(values)) await page.fill(`#${id}`, value);
}

/** Clicks what leads to another page, and waits for it. */
async function press(page, selector) {
  const arrived = page.waitForEvent("load");
  await page.click(selector);
  await arrived;
}

const send = (page) => press(page, "form button.primary");

async function provider(page, username) {
  await page.fill("[name=username]", username);
  await page.fill("[name=password]", plan.providerPassword);
  await press(page, "[type=submit]");
  await press(page, "[type=submit]");
}

const eye = await eyes(plan.pictures);
const app = await openApp(issuer, offset);

/** An app's login up to the page with the ways; the browser is somebody's own, new. */
async function begun(language, options) {
  const person = await eye.person(language);
  const { url, state } = await app.begin({ ...options });
  await person.page.goto(url);
  return { ...person, state };
}

async function national(language) {
  const person = await begun(language);
  const { page } = person;
  await eye.look(person, "choose", { picture: "both" });
  await tabTo(page, "summary");
  await page.keyboard.press("Enter");
  await eye.look(person, "choose-spid", { picture: true });
  await tabTo(page, ".providers ul a");
  await page.keyboard.press("Enter");
  await provider(page, plan.teacher);
  assert.equal(new URL(page.url()).pathname, "/login/done");
  await eye.look(person, "consent", { picture: "both" });
  const answer = app.answer();
  await page.click("[value=allow]");
  const callback = await answer;
  assert.equal(callback.searchParams.get("state"), person.state);
  assert.equal(callback.searchParams.get("iss"), issuer);
  assert.ok(callback.searchParams.get("code"));
  assert.deepEqual(person.said, [], "the page's own policy was not broken");
  await page.goto(`${issuer}/login`);
  await eye.look(person, "no-login");
}

async function card(language) {
  const person = await begun(language, { level: 2 });
  const { page } = person;
  await eye.look(person, "choose-higher");
  await press(page, ".way");
  await provider(page, plan.teacher);
  const answer = app.answer();
  await page.click("[value=deny]");
  assert.equal((await answer).searchParams.get("error"), "access_denied");
}

async function strangers(language) {
  for (const [username, name, picture] of [[plan.stranger, "unknown-person", true], [plan.estranged, "not-entitled", false]]) {
    const person = await begun(language);
    await person.page.click("summary");
    await press(person.page, ".providers ul a");
    await provider(person.page, username);
    await eye.look(person, name, { picture });
    const answer = app.answer();
    await person.page.click("button.plain");
    assert.equal((await answer).searchParams.get("error"), "access_denied", name);
  }
}

async function firstAccess(language, { code, username, email }) {
  const person = await eye.person(language);
  const { page } = person;
  await page.goto(`${issuer}/first-access`);
  await eye.look(person, "first-access");
  await fill(page, { code: "ABCD-EFGH-2345-6789" });
  await send(page);
  await eye.look(person, "first-access-error");
  await fill(page, { code: code.toLowerCase() });
  await send(page);
  assert.ok((await page.textContent("main")).includes(username));
  await eye.look(person, "password", { picture: true });
  await fill(page, { password: "corta", again: "corta", email: "altra@posta.example" });
  await send(page);
  await eye.look(person, "password-error", { picture: true });
  await page.click(".summary a");
  assert.equal(await page.evaluate(() => document.activeElement.id), "password", "the summary leads to the field");
  await fill(page, { password: GOOD, again: GOOD, email });
  await send(page);
  assert.ok(!(await page.locator(".summary").count()), await page.textContent("main"));
  await eye.look(person, "check-mail");
  await page.goto(await mailed("/confirm-email"));
  await eye.look(person, "confirm-email");
  const used = page.url();
  await send(page);
  await eye.look(person, "ready", { picture: true });
  await page.goto(used);
  await eye.look(person, "old-link");
}

/** With the keyboard alone, as far as the consent. */
async function byKeyboard(language, { username }) {
  const person = await begun(language);
  const { page } = person;
  await tabTo(page, "a[href='/login/school']");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/login/school");
  await eye.look(person, "school", { picture: true });
  await page.keyboard.type(username);
  await page.keyboard.press("Tab");
  await page.keyboard.type("sbagliata");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".summary");
  await eye.look(person, "school-error", { picture: true });
  await seconds(1.1);
  await tabTo(page, "#password");
  await page.keyboard.type(GOOD);
  await page.keyboard.press("Enter");
  await page.waitForURL("**/login/done");
  await tabTo(page, "[value=allow]");
  const answer = app.answer();
  await page.keyboard.press("Enter");
  const session = await app.redeem(await answer);
  assert.equal(session.token_type, "DPoP");
}

async function logIn(page, { username }, password, key, step) {
  await press(page, "a[href='/login/school']");
  await fill(page, { username, password });
  await send(page);
  if (key) {
    await page.waitForSelector("#code");
    await fill(page, { code: oneTimeCode(key, step) });
    await send(page);
  }
}

async function profile(language, who) {
  const higher = await begun(language, { level: 2 });
  await logIn(higher.page, who, GOOD);
  await eye.look(higher, "higher-level");

  const person = await eye.person(language);
  const { page } = person;
  await page.goto(`${issuer}/profile`);
  await logIn(page, who, GOOD);
  assert.equal(new URL(page.url()).pathname, "/profile");
  await press(page, "a[href='/profile/second-factor']");
  await eye.look(person, "enrol-ask");
  await send(page);
  await eye.look(person, "enrol-asked");
  await page.goto(await mailed("/profile/second-factor"));
  await eye.look(person, "enrol", { picture: true });
  await fill(page, { code: "000000" });
  await send(page);
  await eye.look(person, "enrol-error");
  const key = await page.textContent("code");
  await fill(page, { code: oneTimeCode(key) });
  await send(page);
  await eye.look(person, "recovery", { picture: true });
  await press(page, "a.primary");
  await eye.look(person, "profile", { picture: "both" });
  assert.equal(await page.locator(".devices li").count(), 1, "the app that the keyboard let in");
  await press(page, ".devices button");
  await eye.look(person, "profile-ended");
  assert.equal(await page.locator(".devices li").count(), 0);
  await press(page, "a[href='/profile/second-factor/off']");
  await eye.look(person, "second-factor-off");
  await page.goto(`${issuer}/profile/password`);
  await eye.look(person, "change-password");
  await page.goto(`${issuer}/profile`);
  await press(page, "button.plain");
  await eye.look(person, "signed-out");

  const again = await begun(language, { level: 2 });
  await press(again.page, "a[href='/login/school']");
  await fill(again.page, { username: who.username, password: GOOD });
  await send(again.page);
  await eye.look(again, "second-factor", { picture: true });
  await fill(again.page, { code: "123456" });
  await send(again.page);
  await eye.look(again, "second-factor-error");
  await seconds(1.1);
  // The code of this half minute was used when the app learned the key; the next one is good already.
  await fill(again.page, { code: oneTimeCode(key, 1) });
  await send(again.page);
  assert.equal(new URL(again.page.url()).pathname, "/login/done", "with a second factor it is of the second level");
  const allowed = app.answer();
  await again.page.click("[value=allow]");
  await allowed;
}

async function reset(language, { username }) {
  const person = await eye.person(language);
  const { page } = person;
  await page.goto(`${issuer}/reset`);
  await eye.look(person, "reset", { picture: true });
  await fill(page, { username: "nessuno@posta.example" });
  await send(page);
  const nobody = await page.textContent(".card");
  await page.goto(`${issuer}/reset`);
  await fill(page, { username });
  await send(page);
  assert.equal(await page.textContent(".card"), nobody, "the answer does not tell who exists");
  await eye.look(person, "reset-asked", { picture: true });
  await page.goto(await mailed("/reset/new"));
  await eye.look(person, "reset-new");
  await fill(page, { password: OTHER, again: GOOD });
  await send(page);
  await eye.look(person, "reset-error");
  await fill(page, { password: OTHER, again: OTHER });
  await send(page);
  await eye.look(person, "reset-done");
}

async function wrongTurns(language) {
  const person = await eye.person(language);
  const { page } = person;
  await page.goto(`${issuer}/oauth/authorize?client_id=it.registro.app&request_uri=urn:x`);
  await eye.look(person, "bad-request");
  for (const reason of ["cancelled", "expired", "unavailable", "unsafe", "level", "unknown-person", "misconfigured"]) {
    await page.goto(`${issuer}/login/failed?reason=${reason}`);
    await eye.look(person, `failed-${reason}`, { picture: reason === "unavailable" });
  }
  await page.goto(`${issuer}/login/failed?reason=%3Cscript%3E&error_description=canary`);
  assert.ok(!(await page.content()).includes("canary"));
  // A form that another page made.
  const other = await begun(language);
  await press(other.page, "a[href='/login/school']");
  await other.context.clearCookies();
  await fill(other.page, { username: "a", password: "b" });
  await send(other.page);
  await eye.look(other, "expired");
  // The switch of language.
  const [to, tag] = language === "it" ? ["ENG", "en"] : ["ITA", "it"];
  const third = await begun(language);
  await press(third.page, `.languages a:has-text("${to}")`);
  await eye.look({ ...third, language: tag }, "choose-switched");
}

async function off(language) {
  const person = await begun(language);
  assert.equal(await person.page.locator("a[href='/login/school']").count(), 0);
  for (const path of ["/login/school", "/first-access", "/reset"]) {
    await person.page.goto(issuer + path);
    await eye.look(person, `off${path.replaceAll("/", "-")}`, { picture: path === "/login/school" });
  }
}

try {
  for (const language of ["it", "en"]) {
    if (plan.off) {
      await off(language);
      continue;
    }
    const person = plan.people[language];
    await national(language);
    await card(language);
    await strangers(language);
    await firstAccess(language, person);
    await byKeyboard(language, person);
    await profile(language, person);
    await reset(language, person);
    await wrongTurns(language);
  }
  console.log(`${eye.checked.length} pages looked at in light and dark`);
} finally {
  app.close();
  await eye.close();
}
