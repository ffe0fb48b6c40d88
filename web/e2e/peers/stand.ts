/** Serves the pages that others would write: their packages, as published, from an origin of their own. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { build } from "esbuild";
import type { Page } from "playwright-core";
import type { Relay } from "../network";
import type { Scene } from "../scene";

declare const ROOT: string;

/** Bundles the script NAME.page.ts of this folder and serves it, on a page with body in it, until the test ends; returns the address. */
export async function serve(scene: Scene, name: string, body = ""): Promise<string> {
  const script = await bundle(join(ROOT, `web/e2e/peers/${name}.page.ts`));
  const html = `<!doctype html><html lang="en"><title>${name}</title><link rel="icon" href="data:,"><button>start</button>${body}<script type="module" src="/script.js"></script></html>`;
  const server = createServer((request, response) => {
    const wanted = request.url === "/script.js" ? ["text/javascript", script] : ["text/html; charset=utf-8", html];
    response.setHeader("Content-Type", wanted[0] ?? "").end(wanted[1]);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  scene.after(() => server.closeAllConnections());
  scene.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

async function bundle(file: string): Promise<string> {
  const result = await build({
    entryPoints: [file],
    bundle: true,
    format: "esm",
    target: "chrome120",
    write: false,
    logLevel: "warning",
    // A decoder for browsers that have none of their own. It is never asked for here.
    external: ["@kixelated/libavjs-webcodecs-polyfill"],
  });
  return result.outputFiles[0]?.text ?? "";
}

/** Takes something that browsers have away from a page, and opens it again. */
export async function without(page: Page, name: string): Promise<void> {
  await page.addInitScript((name) => Reflect.deleteProperty(globalThis, name), name);
  await page.reload();
}

/** The hash of a relay's certificate, from where it tells it to everybody. */
export async function hashOf(relay: Relay): Promise<string> {
  return (await fetch(`${relay.http}/certificate.sha256`)).text();
}
