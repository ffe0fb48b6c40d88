/** A web server with the built pages and the double behind them, instead of a relay. */
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import type { Scene } from "./scene";

/** Where scripts/e2e.mjs has built the pages with e2e/double.ts in them. */
declare const DOUBLE: string;

const types: Readonly<Record<string, string>> = { ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".html": "text/html; charset=utf-8" };

/** Serves the pages until the test ends; returns the address. */
export async function serveDouble(scene: Scene): Promise<string> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const room = /^\/r\/(.*)$/.exec(pathname)?.[1];
    const file = room !== undefined ? "room.html" : pathname === "/" ? "index.html" : pathname;
    try {
      const content = readFileSync(join(DOUBLE, file));
      response.setHeader("Content-Type", types[extname(file)] ?? "application/octet-stream");
      response.end(extname(file) === ".html" ? filled(content.toString(), decodeURIComponent(room ?? "")) : content);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  scene.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** What the relay's template does; the room "closed" is at a relay that wants tokens. */
function filled(html: string, room: string): string {
  const escaped = room.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&#34;");
  return html.replaceAll("{{.Room}}", escaped).replaceAll("{{.Open}}", String(room !== "closed"));
}
