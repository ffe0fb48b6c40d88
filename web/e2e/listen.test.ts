/** The room's page on real relays: what is heard is recorded in the page and looked at here. */
import assert from "node:assert/strict";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import type { Page } from "playwright-core";
import type { ListenerStats } from "../src/client/types";
import { Words } from "../page/text";
import { launch, open, type Opening } from "./browser";
import { assertUnbroken, heard, stats } from "./heard";
import { eventually, pause, type Relay, run, scratch, speak, startNetwork, startRelay } from "./network";
import { type Scene, scene } from "./scene";

const english = new Words("en");
const hz = 440;

/** Opens a room's page that keeps what it plays. */
async function visit(scene: Scene, relay: Relay, path = "/r/town", opening: Opening = {}): Promise<Page> {
  return open(scene, await launch(scene), relay.http + path, { globals: { stentorRecord: true }, ...opening });
}

/** Waits until the page says a sentence. */
async function says(page: Page, key: Parameters<Words["say"]>[0], withinMs = 20_000): Promise<void> {
  const begin = english.say(key).split("{")[0] ?? "";
  await page.waitForFunction((text) => document.querySelector("#status")?.textContent?.startsWith(text), begin, { timeout: withinMs });
}

/** Waits until so many packets have been played. */
async function plays(page: Page, packets: number): Promise<void> {
  await eventually(`${packets} packets played`, async () => (await stats(page)).tracks.reduce((sum, track) => sum + track.played, 0) >= packets, 40_000);
}

const lost = (s: ListenerStats): number => s.tracks.reduce((sum, track) => sum + track.lost, 0);
const named = (relays: readonly Relay[], name: string): Relay => {
  const relay = relays.find((relay) => relay.name === name);
  assert.ok(relay, `no relay is called ${name}`);
  return relay;
};

scene("a press, and the room is heard, unbroken, whatever relays die or are drained", async (scene) => {
  const relays = await startNetwork(scene, ["relay-a", "relay-b", "relay-c", "relay-d"]);
  await speak(scene, relays, "town", "ada");
  const page = await visit(scene, named(relays, "relay-a"), "/r/town", { complaints: true }); // a dead relay is complained of
  assert.equal(await page.evaluate(() => crossOriginIsolated), true);
  await page.waitForFunction(() => document.querySelector("#speakers")?.textContent === "ada");
  await page.click("#listen");
  await says(page, "status.playing");
  await plays(page, 100);

  const first = (await stats(page)).relay;
  await named(relays, first).process.kill();
  await page.waitForFunction(() => /^moved to relay-\w, nothing lost/.test(document.querySelector("#line")?.textContent ?? ""));
  await eventually("another standby", async () => !["", first].includes((await stats(page)).standby));
  await plays(page, 300);

  const second = (await stats(page)).relay;
  const admin = relays.find((relay) => ![first, second].includes(relay.name))?.admin ?? "";
  run("drain", second, "--deadline", "5s", "--admin", admin);
  await plays(page, 500);

  const now = await stats(page);
  assert.ok(![first, second].includes(now.relay), `it is still at ${now.relay}`);
  assert.equal(lost(now), 0, JSON.stringify(now));
  assert.ok(now.hops.length >= 2 && now.hops.some((hop) => hop.cause === "drain"), JSON.stringify(now.hops));
  assertUnbroken(await heard(page, hz), await stats(page));
  assert.ok((await page.textContent("#line"))?.includes("nothing lost"), "and it says so");
});

scene("a room in which nobody is: it waits in words, and starts when somebody speaks", async (scene) => {
  const relay = await startRelay(scene, "relay-a");
  const page = await visit(scene, relay);
  await says(page, "status.idle.silent");
  await page.click("#listen");
  await says(page, "status.waiting");
  const voice = await speak(scene, [relay], "town", "ada");
  await says(page, "status.playing");
  await plays(page, 50);
  assert.equal(await page.textContent("#speakers bdi"), "ada");
  await voice.kill("SIGTERM");
  await says(page, "status.waiting");
});

scene("two tabs, and each hears it", async (scene) => {
  const relay = await startRelay(scene, "relay-a");
  await speak(scene, [relay], "town", "ada");
  const one = await visit(scene, relay);
  const two = await one.context().newPage();
  await two.goto(one.url());
  for (const page of [one, two]) {
    await page.bringToFront();
    await page.click("#listen");
    await says(page, "status.playing");
  }
  for (const page of [one, two]) {
    await plays(page, 100);
    assertUnbroken(await heard(page, hz), await stats(page));
  }
  await two.close();
  const before = (await stats(one)).tracks[0]?.played ?? 0;
  await plays(one, before + 50);
});

scene("the page sleeps, and comes back live", async (scene) => {
  const relay = await startRelay(scene, "relay-a");
  await speak(scene, [relay], "town", "ada");
  const page = await visit(scene, relay);
  await page.click("#listen");
  await plays(page, 50);
  const session = await page.context().newCDPSession(page);
  const before = await stats(page);
  await session.send("Page.setWebLifecycleState", { state: "frozen" });
  await pause(5000);
  await session.send("Page.setWebLifecycleState", { state: "active" });
  await says(page, "status.playing");
  const woken = (await stats(page)).tracks[0]?.played ?? 0;
  await plays(page, woken + 50);
  const now = await stats(page);
  assert.ok(now.delayMs < before.delayMs + 1000, `it plays ${now.delayMs} ms behind`);
});

scene("no relay has room: it says how long, counts down, and gets in", async (scene) => {
  const relay = await startRelay(scene, "relay-a");
  await speak(scene, [relay], "town", "ada");
  const page = await visit(scene, relay);
  let full = true;
  await page.route("**/v1/rooms/town/relays?*", (route) => (full ? route.fulfill({ json: { relays: [], retry_after_ms: 3000 } }) : route.continue()));
  await page.reload(); // a page asks for relays when it opens
  await page.click("#listen");
  await says(page, "status.queued");
  const seconds = async (): Promise<number> => Number(/(\d+) s/.exec((await page.textContent("#status")) ?? "")?.[1] ?? Number.NaN);
  const told = await seconds();
  assert.ok(told >= 1 && told <= 6, `${told} s`);
  await eventually("it counts down", async () => (await seconds()) < told);
  full = false;
  await says(page, "status.playing");
  await plays(page, 20);
});

scene("tokens: none, a good one, one that expires while it plays", async (scene) => {
  const keys = scratch(scene);
  run("token", "key", "--out", keys);
  const relay = await startRelay(scene, "relay-a", "--keys", keys);
  const key = (await import("node:fs")).readdirSync(keys).find((file) => file.endsWith(".jwk"));
  const issue = (...args: string[]): string => run("token", "issue", "--key", `${keys}/${key}`, "--room", "town", ...args);
  await speak(scene, [relay], "town", "ada", { token: issue("--role", "speaker", "--name", "ada") });

  const stranger = await visit(scene, relay, "/r/town", { complaints: true });
  await stranger.click("#listen");
  await says(stranger, "failure.unauthorized");
  assert.equal(await stranger.isVisible("#talk"), false, "who may not speak sees nothing of it");

  const guest = await visit(scene, relay, `/r/town#jwt=${issue("--expires", "15s")}`, { complaints: true });
  await guest.click("#listen");
  await says(guest, "status.playing");
  await plays(guest, 20);
  await says(guest, "failure.unauthorized.token", 40_000);

  const late = await visit(scene, relay, `/r/town#jwt=${issue("--expires", "1s")}`, { complaints: true });
  await pause(1500);
  await late.click("#listen");
  await says(late, "failure.unauthorized.token");
});

scene("a certificate that is not the one the lobby named: no session with that relay", async (scene) => {
  const relay = await startRelay(scene, "relay-a");
  await speak(scene, [relay], "town", "ada");
  const wrong = async (page: Page): Promise<void> => {
    await page.route("**/v1/rooms/town/relays?*", async (route) => {
      const response = await route.fetch();
      const answer = (await response.json()) as { relays: Record<string, unknown>[] };
      for (const member of answer.relays) Object.assign(member, { certificate_sha256: "00".repeat(32), certificates_sha256: ["00".repeat(32)] });
      await route.fulfill({ json: answer });
    });
    await page.reload(); // a page asks for relays when it opens
    await page.click("#listen");
  };
  // Where the page itself came from is as good as the page: it may go on there, over WebSocket.
  const page = await visit(scene, relay, "/r/town", { complaints: true });
  await wrong(page);
  await says(page, "status.playing");
  assert.equal((await stats(page)).transport, "websocket");

  const strict = await visit(scene, relay, "/r/town", { complaints: true });
  await strict.addInitScript(() => ["WebSocket", "WebSocketStream"].forEach((name) => Reflect.deleteProperty(globalThis, name)));
  await strict.reload();
  await wrong(strict);
  await strict.waitForSelector('#listen[data-deed="again"]', { timeout: 70_000 });
  assert.equal(await strict.textContent("#status"), english.say("failure.unreachable"), "a browser does not tell a wrong certificate from none");
}, 120_000);

scene("a relay that answers rubbish", async (scene) => {
  const relay = await startRelay(scene, "relay-a");
  await speak(scene, [relay], "town", "ada");
  const page = await visit(scene, relay, "/r/town", { complaints: true });
  const rubbish = ["<html>", "[]", "null", '{"relays":{}}', '{"relays":[{"name":1,"url":"javascript:alert(1)"}]}', '{"relays":[],"retry_after_ms":-1e99}', "[".repeat(100_000)];
  for (const body of rubbish) {
    await page.route("**/v1/rooms/town/relays?*", (route) => route.fulfill({ body, contentType: "application/json" }), { times: 3 });
    await page.click("#listen");
    await page.waitForFunction((texts) => texts.includes(document.querySelector("#status")?.textContent ?? ""), [english.say("failure.protocol"), english.say("failure.unreachable"), english.say("status.playing")]);
    if ((await page.textContent("#listen-text")) === "Stop listening") await page.click("#listen");
  }
  await page.unroute("**/v1/rooms/town/relays?*");
  await page.click("#listen");
  await says(page, "status.playing");
});

scene("only pages that are allowed open a session", async (scene) => {
  const port = await freePort();
  const relay = await startRelay(scene, "relay-a", "--http", `127.0.0.1:${port}`, "--origin", `http://127.0.0.1:${port}`);
  await speak(scene, [relay], "town", "ada");
  const own = await visit(scene, relay);
  await own.click("#listen");
  await plays(own, 20);
  // The same server under another name is another origin.
  const foreign = await visit(scene, { ...relay, http: `http://localhost:${port}` }, "/r/town", { complaints: true });
  await foreign.click("#listen");
  await foreign.waitForSelector('#listen[data-deed="again"]', { timeout: 40_000 });
  assert.equal((await stats(foreign)).tracks.length, 0);
});

scene("without WebTransport it goes over WebSocket", async (scene) => {
  const relays = await startNetwork(scene, ["relay-a", "relay-b"]);
  await speak(scene, relays, "town", "ada");
  // The browser trusts the self-made certificate only because it is told to: a public relay has a real one.
  const page = await visit(scene, named(relays, "relay-a"), "/r/town", { ignoreHTTPSErrors: true, complaints: true });
  await page.addInitScript(() => Reflect.deleteProperty(globalThis, "WebTransport"));
  await page.reload();
  await page.click("#listen");
  await says(page, "status.playing");
  await plays(page, 100);
  const now = await stats(page);
  assert.equal(now.transport, "websocket");
  assert.equal(lost(now), 0);
  assertUnbroken(await heard(page, hz), await stats(page));
});

scene("what a visit weighs", async (scene) => {
  const relay = await startRelay(scene, "relay-a");
  await speak(scene, [relay], "town", "ada");
  const page = await visit(scene, relay);
  await page.click("#listen");
  await plays(page, 20);
  const sizes = await page.evaluate(() => Object.fromEntries(performance.getEntriesByType("resource").concat(performance.getEntriesByType("navigation")).map((entry) => [new URL(entry.name).pathname, (entry as PerformanceResourceTiming).encodedBodySize])));
  const all = Object.values(sizes).reduce((sum, size) => sum + size, 0);
  const decoder = sizes["/assets/opus.js"] ?? 0;
  scene.say(`${all} bytes, ${decoder} of them the decoder: ${JSON.stringify(sizes)}`);
  assert.ok(decoder > 0 && all - decoder <= 150_000 && all <= 400_000, JSON.stringify(sizes));
});

/** A port that nobody listens on. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
