/** Speaking from the page: a microphone that plays a file, and what the network hears of it. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { Words } from "../page/text";
import { launch, open, type Opening } from "./browser";
import { eventually, pause, Process, type Relay, run, scratch, speak, startNetwork, startRelay } from "./network";
import type { NetPage } from "./peers/net.page";
import { hashOf, serve } from "./peers/stand";
import { type Scene, scene } from "./scene";
import { correlation, envelope, samplesOf, speechLike, wav } from "./speech";

const english = new Words("en");

/** Opens a room's page in a browser with a microphone of its own: one that plays speech, or none at all. */
async function visit(scene: Scene, relay: Relay, opening: Opening & { microphone?: Float32Array | "none"; path?: string } = {}): Promise<Page> {
  const { microphone = speechLike(20), path = "/r/town", ...rest } = opening;
  const args: string[] = [];
  if (microphone === "none") args.push("--disable-audio-input");
  else {
    const file = join(scratch(scene), "microphone.wav");
    writeFileSync(file, wav(microphone));
    args.push("--use-fake-device-for-media-stream", `--use-file-for-fake-audio-capture=${file}`);
  }
  return open(scene, await launch(scene, ...args), relay.http + path, { permissions: ["microphone"], ...rest });
}

async function goLive(page: Page, name: string): Promise<void> {
  await page.click("#talk-open");
  if (await page.isEditable("#talk-name")) await page.fill("#talk-name", name);
  await page.click("#talk-start");
}

const live = (page: Page): Promise<unknown> => page.waitForFunction((text) => document.querySelector("#talk-status")?.textContent === text, english.say("talk.live"));
const faults = (page: Page, key: Parameters<Words["say"]>[0]): Promise<unknown> => page.waitForFunction((text) => document.querySelector("#talk-error")?.textContent === text, english.say(key));

interface Stats {
  tracks: { expected: number; played: number; lost: number }[];
}

/** Records a room as `stentor listen` does. */
function record(scene: Scene, relays: readonly Relay[], seconds: number): { done: Promise<{ samples: Float32Array; stats: Stats }> } {
  const folder = scratch(scene);
  const [out, stats] = [join(folder, "heard.wav"), join(folder, "stats.json")];
  const listener = new Process(scene, "listen", ...relays.flatMap(({ url }) => ["--relay", url]), "--room", "town", "--duration", `${seconds}s`, "--out", out, "--stats", stats);
  const done = (async () => {
    while (!listener.ended) await pause(50);
    return { samples: samplesOf(readFileSync(out)), stats: JSON.parse(readFileSync(stats, "utf8")) as Stats };
  })();
  return { done };
}

scene("what is said at the page is heard, and an ingest that dies is not", async (scene) => {
  const relays = await startNetwork(scene, ["relay-a", "relay-b", "relay-c"]);
  const said = speechLike(20);
  const page = await visit(scene, relays[0]!, { microphone: said, complaints: true });
  await goLive(page, "ada");
  await live(page);
  await pause(500);
  const ingests = await page.evaluate(() => (globalThis as unknown as { stentorTalker: { relays: string[] } }).stentorTalker.relays);
  assert.equal(ingests.length, 2, `it speaks to ${ingests.join()}`);
  const spared = relays.filter(({ name }) => name !== ingests[0]);
  const { done } = record(scene, spared, 10);
  await pause(3000);
  await relays.find(({ name }) => name === ingests[0])?.process.kill();
  const { samples, stats } = await done;
  const [track] = stats.tracks;
  assert.ok(track !== undefined && track.expected > 300 && track.lost === 0, JSON.stringify(stats));
  const likeness = correlation(envelope(said), envelope(samples).slice(50, 400));
  scene.say(`likeness ${likeness.toFixed(3)}, ${track.expected} packets, ${track.lost} lost`);
  assert.ok(likeness > 0.6, `what is heard is like what was said by ${likeness.toFixed(3)}`);
});

scene("mute and leave: the others hear nothing, and see nobody", async (scene) => {
  const relay = await startRelay(scene, "relay-a");
  const page = await visit(scene, relay);
  await goLive(page, "ada");
  await live(page);
  await page.click("#talk-mute");
  await page.waitForFunction((text) => document.querySelector("#talk-status")?.textContent === text, english.say("talk.muted"));
  await pause(300); // the bundle under way
  const { done } = record(scene, [relay], 4);
  const { samples } = await done;
  assert.ok(Math.max(0, ...envelope(samples).slice(10)) < 0.01, "a muted microphone is heard");
  await page.click("#talk-mute");
  await live(page);
  const again = await record(scene, [relay], 4).done;
  assert.ok(Math.max(...envelope(again.samples)) > 0.02, "it is not heard again");
  await page.click("#talk-stop");
  await page.waitForFunction(() => document.querySelector("#talk-open")?.checkVisibility());
  await eventually("the room is no longer live", async () => (await fetch(`${relay.http}/v1/rooms/town`)).status === 404);
});

scene("who speaks and listens at one page does not hear the own voice", async (scene) => {
  const relay = await startRelay(scene, "relay-a");
  const page = await visit(scene, relay);
  await goLive(page, "ada");
  await live(page);
  await page.click("#listen");
  await page.waitForFunction(() => document.querySelector(".speaker small")?.textContent === "you");
  await page.waitForFunction((text) => document.querySelector("#status")?.textContent === text, english.say("status.alone"));
  const heard = (): Promise<string[]> => page.evaluate(() => (globalThis as unknown as { stentorListener: { speakers: { name: string }[] } }).stentorListener.speakers.map(({ name }) => name));
  assert.deepEqual(await heard(), [], "it is not even sent");
  await speak(scene, [relay], "town", "bob");
  await eventually("the others are", async () => String(await heard()) === "bob");
  assert.deepEqual((await page.locator(".speaker bdi").allTextContents()).sort(), ["ada", "bob"]);
});

scene("of a crowd who listens hears the loudest, and who speaks everybody", async (scene) => {
  const relay = await startRelay(scene, "relay-a", "--loudest", "1");
  for (const [name, hz] of [["bob", 440], ["cem", 550]] as const) await speak(scene, [relay], "town", name, { hz });
  const page = await visit(scene, relay);
  await page.click("#listen");
  const played = (): Promise<number[]> => page.evaluate(() => (globalThis as unknown as { stentorListener: { stats(): Stats } }).stentorListener.stats().tracks.map(({ played }) => played));
  const more = async (ms: number): Promise<number[]> => {
    const before = await played();
    await pause(ms);
    return (await played()).map((n, i) => n - (before[i] ?? 0));
  };
  await eventually("one of two is heard", async () => String((await more(1500)).map((n) => n > 0).sort()) === "false,true");
  await goLive(page, "ada");
  await live(page);
  await eventually("both are", async () => (await more(1500)).every((n) => n > 40));
});

scene("relays are told how loud it is at the page", async (scene) => {
  const relay = await startRelay(scene, "relay-a");
  const page = await visit(scene, relay);
  await goLive(page, "ada");
  await live(page);
  const reader = await open(scene, await launch(scene), await serve(scene, "net"));
  const options = { name: "ada", track: "level", count: 20, datagrams: true, hash: await hashOf(relay) };
  const reading = await reader.evaluate(([url, options]) => (globalThis as unknown as { page: NetPage }).page.read(url, options), [`${relay.url}/town`, options] as const);
  assert.equal(reading.timescale, 1000);
  const reports = [...reading.groups, ...reading.datagrams].map(({ payload }) => Buffer.from(payload, "base64"));
  assert.deepEqual(reports.map(({ length }) => length), reports.map(() => 1));
  const levels = reports.map(([byte = 127]) => byte & 0x7f);
  assert.ok(levels.some((level) => level > 5 && level < 50), `speech, ${levels.join()} dB below full scale`);
  for (const [byte = 0] of reports) assert.equal(byte > 127, (byte & 0x7f) <= 50, "the highest bit is for speech");
});

scene("a crowd has taken every place at the doors: who speaks comes in all the same", async (scene) => {
  const relay = await startRelay(scene, "relay-a", "--join-rate", "0.001");
  const page = await visit(scene, relay, { complaints: true });
  const crowd = await open(scene, await launch(scene), `${relay.http}/`, { complaints: true });
  const came = await crowd.evaluate(async ([url, hash]) => {
    const value = Uint8Array.from(hash.match(/../g)!, (pair) => parseInt(pair, 16));
    const here: WebTransport[] = ((globalThis as unknown as { here: WebTransport[] }).here = []);
    for (;;) {
      const web = new WebTransport(url, { protocols: ["moq-lite-05"], allowPooling: false, serverCertificateHashes: [{ algorithm: "sha-256", value }] });
      const late = new Promise<never>((_, reject) => setTimeout(() => reject(new Error("late")), 5000));
      const refused = await Promise.race([web.ready, late]).then(() => false, () => true);
      if (refused) return here.length;
      here.push(web);
    }
  }, [`${relay.url}/town`, await hashOf(relay)] as const);
  const began = performance.now();
  await goLive(page, "ada");
  await live(page);
  const took = performance.now() - began;
  scene.say(`behind ${came} others, live after ${took.toFixed(0)} ms`);
  assert.ok(came > 0, "the crowd is in");
  const metrics = async (): Promise<string> => (await fetch(`${relay.admin}/metrics`)).text();
  await eventually("it is by WebTransport", async () => /^stentor_sessions\{transport="websocket"\} 0$/m.test(await metrics()));
});

scene("microphones: refused, missing, taken away", async (scene) => {
  const relay = await startRelay(scene, "relay-a");
  const refusing = await visit(scene, relay, { permissions: [], globals: {} });
  await goLive(refusing, "ada");
  await faults(refusing, "failure.microphone-refused");

  const without = await visit(scene, relay, { microphone: "none" });
  await goLive(without, "ada");
  await faults(without, "failure.microphone-missing");

  const page = await visit(scene, relay);
  await page.evaluate(() => {
    const devices = navigator.mediaDevices;
    const ask = devices.getUserMedia.bind(devices);
    devices.getUserMedia = async (constraints) => Object.assign(globalThis, { microphone: await ask(constraints) }).microphone;
  });
  await goLive(page, "ada");
  await live(page);
  await page.evaluate(() => {
    const [track] = (globalThis as unknown as { microphone: MediaStream }).microphone.getTracks();
    track?.stop(); // as when the cable is pulled, but for the event
    track?.dispatchEvent(new Event("ended"));
  });
  await faults(page, "failure.microphone-lost");
  await page.click("#talk-start");
  await live(page);
});

scene("a name that is taken, and a token that fixes it", async (scene) => {
  const keys = scratch(scene);
  run("token", "key", "--out", keys);
  const key = join(keys, readdirSync(keys).find((file) => file.endsWith(".jwk")) ?? "");
  const relay = await startRelay(scene, "relay-a", "--keys", keys);
  const token = run("token", "issue", "--key", key, "--room", "town", "--role", "speaker", "--name", "ada");
  const voice = await speak(scene, [relay], "town", "ada", { token });
  const page = await visit(scene, relay, { path: `/r/town#jwt=${token}`, complaints: true });
  assert.equal(await page.inputValue("#talk-name"), "ada");
  assert.equal(await page.isEditable("#talk-name"), false);
  await goLive(page, "ada");
  await faults(page, "failure.name-taken");
  await voice.kill("SIGTERM");
  await pause(500);
  await page.click("#talk-start");
  await live(page);
});
