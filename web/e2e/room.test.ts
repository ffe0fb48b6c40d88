/** A room with rights, on real relays: from a raised hand to the stage and out, and who of a crowd is heard. */
import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { Words } from "../page/text";
import type { Listener, TrackStats } from "../src/client/types";
import { launch, open } from "./browser";
import { eventually, type Relay, run, scratch, speak, startNetwork, startRelay } from "./network";
import { type Scene, scene } from "./scene";
import { speechLike, wav } from "./speech";

const english = new Words("en");
type Key = Parameters<Words["say"]>[0];

interface Globals {
  stentorListener: Listener;
}

/** Waits until an element says that. */
const says = (page: Page, selector: string, key: Key, filling = {}): Promise<unknown> =>
  page.waitForFunction(([where, text]) => document.querySelector(where ?? "")?.textContent === text, [selector, english.say(key, filling)]);

/** Opens the room's page with a link of somebody's own. */
async function visit(scene: Scene, browser: Browser, relay: Relay, token: string): Promise<Page> {
  const page = await open(scene, browser, `${relay.http}/r/town#jwt=${token}`, { permissions: ["microphone"], complaints: true });
  await page.waitForFunction((text) => document.querySelector("#live")?.textContent !== text, english.say("room.loading"));
  return page;
}

/** Whether somebody is heard at a page now. */
const heard = (page: Page, name: string): Promise<boolean> =>
  page.evaluate((who) => (globalThis as unknown as Globals).stentorListener.speakers.some((s) => s.name === who && s.speaking), name);

scene("a hand goes up, is invited, heard, muted, banned; the room ends", async (scene) => {
  const keys = scratch(scene);
  run("token", "key", "--out", keys);
  const key = join(keys, readdirSync(keys).find((file) => file.endsWith(".jwk")) ?? "");
  const issue = (role: string, name: string): string => run("token", "issue", "--key", key, "--room", "town", "--role", role, "--name", name, "--sub", `${name}@example.org`);
  const [a, b] = await startNetwork(scene, ["relay-a", "relay-b"], "--keys", keys);
  assert.ok(a && b);
  const microphone = join(scratch(scene), "microphone.wav");
  writeFileSync(microphone, wav(speechLike(20)));
  const browser = await launch(scene, "--use-fake-device-for-media-stream", `--use-file-for-fake-audio-capture=${microphone}`);

  const ada = await visit(scene, browser, a, issue("host", "Ada"));
  await ada.click("#host-create");
  await says(ada, "#live", "room.live");
  await ada.click("#listen");
  const eve = await visit(scene, browser, b, issue("listener", "Eve"));
  await eve.click("#listen");
  assert.equal(await eve.isVisible("#talk-open"), false);
  await eve.click("#hand-toggle");
  await says(eve, "#hand-text", "hand.lower");

  assert.equal(await ada.locator("#hands .who").innerText(), "Eve\nEve@example.org");
  await ada.getByLabel("Invite Eve to speak").click();
  await says(eve, "#news", "news.invited");
  await eve.click("#talk-open");
  await eve.click("#talk-start");
  await says(eve, "#talk-status", "talk.live");
  await eventually("Ada hears Eve", () => heard(ada, "Eve"));

  const row = ada.locator("#speakers li", { has: ada.getByText("Eve", { exact: true }) });
  await row.locator("button[aria-expanded]").click();
  await row.getByRole("button", { name: "Mute for everybody" }).click();
  await says(eve, "#news", "news.muted");
  await says(eve, "#talk-status", "talk.silenced");
  await eventually("nobody hears Eve", async () => !(await heard(ada, "Eve")));
  await row.getByRole("button", { name: "Unmute", exact: true }).click();
  await says(eve, "#talk-status", "talk.live");
  await eventually("Ada hears Eve again", () => heard(ada, "Eve"));

  // Whoever is removed is told why, and comes back by a button only.
  await row.getByRole("button", { name: "Remove" }).click();
  await row.locator(".sure").getByRole("button", { name: "Remove" }).click();
  await says(eve, "#status", "failure.removed");
  await says(eve, "#listen-text", "listen.back");
  await eve.waitForSelector("#talk-live", { state: "hidden" });
  assert.equal(await eve.isVisible("#talk-open"), false);
  const listeners = async (): Promise<number> => ((await (await fetch(`${b.http}/v1/rooms/town`)).json()) as { listeners: number }).listeners;
  await eventually("only Ada is there", async () => (await listeners()) === 1);
  await eve.click("#listen");
  await says(eve, "#listen-text", "listen.stop");
  await eventually("she listens again", () => eve.evaluate(() => (globalThis as unknown as Globals).stentorListener.room?.you?.removed === 1));
  await eve.reload();
  await eve.waitForSelector("#hand-toggle:visible"); // by the room's word: she is a listener still
  assert.equal(await eve.isVisible("#talk-open"), false);
  await eve.click("#listen");
  await says(eve, "#listen-text", "listen.stop");

  // Whom hosts find only by what rooms know them by: she is on no stage.
  const host = issue("host", "Ada");
  const banned = await fetch(`${a.http}/v1/rooms/town/ban`, { method: "POST", headers: { authorization: `Bearer ${host}` }, body: JSON.stringify({ who: "Eve@example.org" }) });
  assert.equal(banned.status, 200);
  await says(eve, "#status", "failure.banned");
  await eve.reload();
  await says(eve, "#news", "news.banned");
  assert.equal(await eve.isVisible("#hand-toggle"), false);

  await ada.click("#host-end");
  await ada.locator(".sure").getByRole("button", { name: "End the room" }).click();
  await says(ada, "#status", "status.ended");
});

scene("a host's page gives the room back to a network that has forgotten it", async (scene) => {
  const keys = scratch(scene);
  run("token", "key", "--out", keys);
  const key = join(keys, readdirSync(keys).find((file) => file.endsWith(".jwk")) ?? "");
  const host = run("token", "issue", "--key", key, "--room", "town", "--role", "host", "--name", "Ada", "--sub", "ada@example.org");
  const relay = await startRelay(scene, "relay-a", "--keys", keys);
  run("room", "create", "town", "--title", "Town hall", "--relay", relay.url, "--token", host);
  const page = await visit(scene, await launch(scene), relay, host);
  // Kept when the relay has been asked for it; the answer is only for who asks.
  const kept = page.waitForResponse((response) => response.url().endsWith("/state") && response.ok());
  await page.click("#listen");
  await kept;
  await relay.process.kill("SIGTERM"); // the sessions end at once; a killed one is waited for
  const fresh = await startRelay(scene, "relay-a", "--keys", keys, "--listen", new URL(relay.url).host, "--http", new URL(relay.http).host);
  await eventually("the room has its title again", async () => ((await (await fetch(`${fresh.http}/v1/rooms/town`)).json()) as { title?: string }).title === "Town hall", 45_000);
});

scene("of a crowd the loudest are sent, and the others are not missing", async (scene) => {
  const relay = await startRelay(scene, "relay-a", "--loudest", "1");
  for (const [name, hz] of [["ada", 440], ["bob", 550]] as const) await speak(scene, [relay], "town", name, { hz });
  const page = await open(scene, await launch(scene), `${relay.http}/r/town`, { complaints: true });
  await page.click("#listen");
  const tracks = (): Promise<TrackStats[]> => page.evaluate(() => (globalThis as unknown as Globals).stentorListener.stats().tracks);
  // At first both may be heard, as long as the relay has not chosen.
  await eventually("one is heard for two seconds, and the other not, who misses nothing", async () => {
    const before = await tracks();
    const more = (now: TrackStats[]): number[] => now.map((track, i) => track.played - (before[i]?.played ?? 0));
    await eventually("somebody is heard", async () => more(await tracks()).some((n) => n > 100));
    const now = await tracks();
    const silent = more(now).indexOf(0);
    const count = (all: TrackStats[]): unknown => [all[silent]?.lost, all[silent]?.repaired];
    return now.length === 2 && silent >= 0 && String(count(now)) === String(count(before));
  });
  assert.equal(await page.evaluate(() => (globalThis as unknown as Globals).stentorListener.stats().hops.length), 0);
});
