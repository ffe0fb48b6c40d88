/** A room's page whose relay is killed, again and again: `KILLS=20 npm run e2e -- kills` for the whole number. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import type { Listener, ListenerStats } from "../src/client/types";
import { launch, open } from "./browser";
import { pause, type Relay, speak, startNetwork, startRelay } from "./network";
import { type Scene, scene } from "./scene";
import { analyse, type Heard } from "./tone";

const kills = Number(process.env["KILLS"] ?? 4);

interface Globals {
  stentorListener: Listener;
}

const stats = (page: Page): Promise<ListenerStats> => page.evaluate(() => (globalThis as unknown as Globals).stentorListener.stats());

/** Waits until something holds of the counters. It looks seldom: the page has other things to do. */
async function until(what: string, page: Page, holds: (s: ListenerStats) => boolean): Promise<void> {
  for (let tries = 0; tries < 160; tries++) {
    if (holds(await stats(page))) return;
    await pause(250);
  }
  throw new Error(`it does not come about that ${what}: ${JSON.stringify(await stats(page))}`);
}

/** What the page has put out so far: a tone of 440 Hz. */
async function heard(page: Page): Promise<Heard> {
  const samples = await page.evaluate(async () => {
    const samples = await (globalThis as unknown as Globals).stentorListener.recorded();
    return Array.from(samples, (value) => Math.round(value * 32768));
  });
  return analyse(Float32Array.from(samples, (value) => value / 32768), 440);
}

/** Kills the relay that is listened to, waits until the page goes on elsewhere with another standby, and starts it again. */
async function kill(scene: Scene, page: Page, relays: Map<string, Relay>): Promise<void> {
  const before = await stats(page);
  const victim = relays.get(before.relay);
  assert.ok(victim, `it listens to ${before.relay}`);
  const places = { "--listen": new URL(victim.url).host, "--http": new URL(victim.http).host, "--gossip": victim.gossip };
  await victim.process.kill();
  await until("it goes on elsewhere", page, (now) => now.relay !== before.relay);
  const [other] = [...relays.values()].filter((relay) => relay !== victim);
  const again = await startRelay(scene, victim.name, "--join", other?.gossip ?? "", ...Object.entries(places).flat());
  relays.set(victim.name, again);
  await until("there is another standby, and some seconds of the tone", page, ({ relay, standby, tracks }) => {
    return standby !== "" && standby !== relay && (tracks[0]?.played ?? 0) > (before.tracks[0]?.played ?? 0) + 200;
  });
}

scene(
  `${kills} relays are killed one after the other, and nothing of it is heard`,
  async (scene) => {
    const relays = new Map((await startNetwork(scene, ["relay-a", "relay-b", "relay-c"])).map((relay) => [relay.name, relay]));
    await speak(scene, [...relays.values()], "town", "ada");
    const page = await open(scene, await launch(scene), `${relays.get("relay-a")?.http}/r/town`, {
      globals: { stentorRecord: true },
      complaints: true, // a dead relay is complained of
    });
    await page.click("#listen");
    await until("it listens, with a standby", page, ({ standby }) => standby !== "");
    for (let i = 0; i < kills; i++) await kill(scene, page, relays);

    const now = await stats(page);
    scene.say(`hops took ${now.hops.map((hop) => Math.round(hop.tookMs)).join(", ")} ms`);
    assert.deepEqual(now.hops.map((hop) => hop.lost), now.hops.map(() => 0), JSON.stringify(now));
    assert.ok(now.hops.length >= kills, JSON.stringify(now.hops));
    const { gaps, largestTurn, turnAtMs } = await heard(page);
    if (now.underruns === 0) {
      assert.deepEqual(gaps, []);
      assert.deepEqual(now.tracks.map((track) => track.lost), [0], JSON.stringify(now));
      assert.ok(largestTurn < 0.5, `the tone jumps by ${largestTurn} after ${turnAtMs} ms`);
      return;
    }
    // The machine was too busy to feed its sound card: what that tore tells nothing of the hops.
    scene.say(`underruns: ${now.underruns} samples; gaps ${JSON.stringify(gaps)}`);
  },
  60_000 + kills * 40_000,
);
