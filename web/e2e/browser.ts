/** A real Chromium, and what a test needs around it. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { after } from "node:test";
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import type { Scene } from "./scene";

declare const ROOT: string;

/** Where a failed test leaves its screenshot and trace. */
export const artifacts = process.env["E2E_ARTIFACTS"] ?? join(ROOT, "web/e2e/failed");

/** The browser's program, which scripts/e2e.mjs has found. */
function executable(): string {
  const found = process.env["CHROMIUM"];
  if (found === undefined) throw new Error("name a Chromium in CHROMIUM");
  return found;
}

let shared: Promise<Browser> | undefined;
after(async () => (await shared)?.close());

/**
 * A browser: the one that the tests of a file share, each in contexts of its own,
 * or with args one that ends with the test.
 */
export async function launch(scene: Scene, ...args: string[]): Promise<Browser> {
  if (args.length === 0) return (shared ??= start());
  const browser = await start(...args);
  scene.after(() => browser.close());
  return browser;
}

/** QUIC stays on: WebTransport is made of it. */
function start(...args: string[]): Promise<Browser> {
  return chromium.launch({
    executablePath: executable(),
    headless: true,
    // Playwright would let pages sound before a gesture; people's browsers do not.
    ignoreDefaultArgs: ["--autoplay-policy=no-user-gesture-required", "--mute-audio"],
    args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", ...args],
  });
}

/** How a page is opened. */
export interface Opening extends BrowserContextOptions {
  /** The page may complain on its console: the test makes it. */
  complaints?: boolean;
  /** What the page's global object has before any script of the page. */
  globals?: Readonly<Record<string, unknown>>;
}

/**
 * Opens a page in a context of its own. What it complains of on its console fails
 * the test, and a test that fails leaves a screenshot and a trace.
 */
export async function open(scene: Scene, browser: Browser, url: string, opening: Opening = {}): Promise<Page> {
  const { complaints: allowed = false, globals, ...options } = opening;
  const context = await browser.newContext({ locale: "en-GB", viewport: { width: 800, height: 900 }, ...options });
  await context.tracing.start({ snapshots: true });
  if (globals !== undefined) await context.addInitScript((given) => Object.assign(globalThis, given), globals);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    // That nobody is live in a room is an answer like any other.
    const silent = /\/v1\/rooms\/[^/?]+$/.test(message.location().url) && message.text().includes("404");
    if ((message.type() === "error" && !silent) || /content security policy/i.test(message.text())) complaints.push(message.text());
  });
  scene.after(async () => {
    if (scene.failed) await keep(scene, context, page, complaints);
    await context.close();
    if (!allowed && complaints.length > 0) throw new Error(`the page complains:\n${complaints.join("\n")}`);
  });
  await page.goto(url);
  return page;
}

async function keep(scene: Scene, context: BrowserContext, page: Page, complaints: readonly string[]): Promise<void> {
  mkdirSync(artifacts, { recursive: true });
  const name = join(artifacts, `${scene.name.replaceAll(/[^\w]+/g, "-")}-${context.browser()?.contexts().indexOf(context) ?? 0}`);
  await page.screenshot({ path: `${name}.png`, fullPage: true }).catch(() => undefined);
  await context.tracing.stop({ path: `${name}.zip` }).catch(() => undefined);
  scene.say([`see ${name}.png and .zip (npx playwright-core show-trace)`, ...complaints].join("\n"));
}
