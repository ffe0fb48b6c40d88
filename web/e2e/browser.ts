/** A real Chromium, and what a test needs around it. */
import { existsSync, mkdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { TestContext } from "node:test";
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from "playwright-core";

declare const ROOT: string;

/** Where a failed test leaves its screenshot and trace. */
export const artifacts = process.env["E2E_ARTIFACTS"] ?? join(ROOT, "web/e2e/failed");

/** The browser's program: CHROMIUM names it, or it is one of these. */
export function executable(): string {
  const named = process.env["CHROMIUM"];
  if (named !== undefined) return named;
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  for (const name of ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]) {
    const folder = folders.find((folder) => existsSync(join(folder, name)));
    if (folder !== undefined) return join(folder, name);
  }
  throw new Error("no Chromium here: install chromium, or name it in CHROMIUM");
}

/** Starts a browser that ends with the test. QUIC stays on: WebTransport is made of it. */
export async function launch(t: TestContext, ...args: string[]): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: executable(),
    headless: true,
    // Playwright would let pages sound before a gesture; people's browsers do not.
    ignoreDefaultArgs: ["--autoplay-policy=no-user-gesture-required", "--mute-audio"],
    args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", ...args],
  });
  t.after(() => browser.close());
  return browser;
}

/**
 * Opens a page in a context of its own. Errors in its console fail the test, and
 * a test that fails leaves a screenshot and a trace.
 */
export async function open(t: TestContext, browser: Browser, url: string, options: BrowserContextOptions & { expectErrors?: boolean; before?: (context: BrowserContext) => Promise<void> } = {}): Promise<Page> {
  const { expectErrors = false, before, ...contextOptions } = options;
  const context = await browser.newContext({ locale: "en-GB", viewport: { width: 800, height: 900 }, ...contextOptions });
  await context.tracing.start({ screenshots: true, snapshots: true });
  await before?.(context);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" || /content security policy/i.test(message.text())) complaints.push(message.text());
  });
  t.after(async () => {
    const failed = (t as { passed?: boolean }).passed === false;
    if (failed) {
      mkdirSync(artifacts, { recursive: true });
      const name = join(artifacts, t.name.replaceAll(/[^\w]+/g, "-"));
      await page.screenshot({ path: `${name}.png`, fullPage: true }).catch(() => undefined);
      await context.tracing.stop({ path: `${name}.zip` }).catch(() => undefined);
      if (complaints.length > 0) t.diagnostic(complaints.join("\n"));
    }
    await context.close().catch(() => undefined);
    if (!failed && !expectErrors && complaints.length > 0) throw new Error(`the page complains:\n${complaints.join("\n")}`);
  });
  await page.goto(url);
  return page;
}
