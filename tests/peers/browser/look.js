// A phone's browser without JavaScript, and a second one in which axe looks at the same page.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const PHONE = { width: 390, height: 844 };
const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--hide-scrollbars",
];
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** Opens both browsers. `pictures`: where pictures go, if any are wanted. */
export async function eyes(pictures) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", headless: true, args: FLAGS,
  });
  const checked = [];

  const context = await browser.newContext({ viewport: PHONE, bypassCSP: true });
  const second = await context.newPage();
  let [shown, html] = ["", ""];
  await context.route((url) => url.href === shown, (route) => route.fulfill({ body: html, contentType: "text/html; charset=utf-8" }));

  const run = (runOnly) => second.evaluate((only) => window.axe.run(document, { runOnly: only }), runOnly);

  /** Everything that axe finds on a page, and in the dark whatever depends on colours. */
  async function violations(url, content) {
    [shown, html] = [url.split("#")[0], content];
    await second.emulateMedia({ colorScheme: "light" });
    await second.goto(shown);
    await second.evaluate(axe);
    const light = await run({ type: "tag", values: RULES });
    await second.emulateMedia({ colorScheme: "dark" });
    const dark = await run({ type: "rule", values: ["color-contrast", "link-in-text-block"] });
    // What a phone shows must fit its width.
    const wide = await second.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
    const lines = [["light", light], ["dark", dark]].flatMap(([scheme, found]) => found.violations.map(
      ({ id, nodes }) => `${scheme}: ${id}: ${nodes.map((node) => node.html).join(" | ")}`,
    ));
    return wide ? [...lines, "the page is wider than the screen"] : lines;
  }

  return {
    /** A browser of somebody's own, as they left it: no JavaScript. */
    async person(language, colorScheme = "light") {
      const context = await browser.newContext({
        viewport: PHONE, deviceScaleFactor: 1.5, isMobile: true, hasTouch: true, javaScriptEnabled: false,
        locale: language === "it" ? "it-IT" : "en-GB", colorScheme,
      });
      const page = await context.newPage();
      const said = [];
      page.on("console", (message) => { if (/Content.Security.Policy/i.test(message.text())) said.push(message.text()); });
      return { page, context, said, language };
    },
    /** Looks at the page that somebody sees. */
    async look({ page, language }, name, { picture = false } = {}) {
      const [url, html] = [page.url(), await page.content()];
      const problems = [];
      if (html.includes("<script") || /\son[a-z]+=/.test(html)) problems.push("there is a script in it");
      if (!html.includes(`<html lang="${language}">`)) problems.push("another language than the browser's");
      problems.push(...await violations(url, html));
      checked.push(`${language} ${name}`);
      if (problems.length) throw new Error(`${language} ${name} (${url}):\n  ${problems.join("\n  ")}`);
      if (pictures && picture && language === "it") {
        for (const colorScheme of picture === "both" ? ["light", "dark"] : ["light"]) {
          await page.emulateMedia({ colorScheme });
          const file = `login-${name}${colorScheme === "dark" ? "-dark" : ""}.png`;
          await page.screenshot({ path: join(pictures, file), fullPage: true });
        }
        await page.emulateMedia({ colorScheme: "light" });
      }
    },
    checked,
    close: () => browser.close(),
  };
}

/** Presses the tabulator until something is focused, as who has no mouse does. */
export async function tabTo(page, selector) {
  for (let presses = 0; presses < 40; presses += 1) {
    await page.keyboard.press("Tab");
    const there = await page.evaluate((wanted) => {
      const focused = document.activeElement;
      const outline = focused && getComputedStyle(focused).outlineStyle;
      return focused?.matches(wanted) ? outline : undefined;
    }, selector);
    if (there === "none") throw new Error(`${selector} does not show that it is focused`);
    if (there) return;
  }
  throw new Error(`the keyboard does not reach ${selector}`);
}
