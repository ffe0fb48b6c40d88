/** Players and publishers that others have written, unmodified, at a real relay in a real Chromium. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { launch, open } from "../browser";
import { eventually, pause, Process, type Relay, scratch, speak, startNetwork, startRelay, voiceFile } from "../network";
import { type Scene, scene } from "../scene";
import { correlation, envelope, samplesOf, speechLike, wav } from "../speech";
import { analyse } from "../tone";
import type { NetPage, Packet, Reading } from "./net.page";
import { packetsOf } from "./ogg";
import type { PublishPage } from "./publish.page";
import { hashOf, serve, without } from "./stand";
import type { WatchPage } from "./watch.page";

type Transport = "webtransport" | "websocket";

interface Globals<P> {
  page: P;
}

for (const transport of ["webtransport", "websocket"] as const) {
  scene(`@moq/watch plays what stentor speak sends, over ${transport}`, async (scene) => {
    const relay = await startRelay(scene, "relay-a");
    await speak(scene, [relay], "town", "ada");
    // Its own choice is a buffer of 43 ms, for machines with nothing else to do.
    const page = await open(scene, await launch(scene), await serve(scene, "watch", '<moq-watch latency="200"></moq-watch>'));
    if (transport === "websocket") await without(page, "WebTransport");
    await page.click("button"); // browsers let a page sound after a gesture
    await page.evaluate(([url, hash]) => (globalThis as unknown as Globals<WatchPage>).page.watch(url, "ada", hash), await way(relay, transport, "/town"));
    await eventually("3 s of sound", () => page.evaluate(() => (globalThis as unknown as Globals<WatchPage>).page.sounding() >= 150));

    const state = await page.evaluate(() => (globalThis as unknown as Globals<WatchPage>).page.state());
    assert.equal(state.version, "moq-lite-05");
    assert.equal(state.transport, transport);
    const samples = Float32Array.from(await page.evaluate(() => (globalThis as unknown as Globals<WatchPage>).page.recorded()), (value) => value / 32768);
    const { ms, gaps } = analyse(samples, 440);
    const silent = gaps.reduce((sum, gap) => sum + gap.ms, 0);
    const share = shareOf(samples, 440);
    scene.say(`${ms} ms, ${silent} of them silent; the tone is ${(100 * share).toFixed(1)} % of the power; ${JSON.stringify(state)}`);
    assert.ok(share > 0.8, `only ${share.toFixed(2)} of what is heard is what was said`);
    assert.ok(silent < ms / 2, `${silent} ms of ${ms} ms are silent`);
  });
}

/** How much of the power is a tone's, 0 to 1, looked at in blocks of 10 ms. */
function shareOf(samples: Float32Array, hz: number): number {
  let [tone, all] = [0, 0];
  for (let at = 0; at + 480 <= samples.length; at += 480) {
    let [re, im] = [0, 0];
    for (let i = at; i < at + 480; i++) {
      const value = samples[i] ?? 0;
      re += value * Math.cos((2 * Math.PI * hz * i) / 48_000);
      im += value * Math.sin((2 * Math.PI * hz * i) / 48_000);
      all += value * value;
    }
    tone += (2 * (re * re + im * im)) / 480;
  }
  return tone / (all || 1);
}

/** A session's URL by a transport, and the certificate's hash where there is one to check. */
async function way(relay: Relay, transport: Transport, path: string): Promise<readonly [string, string | undefined]> {
  return transport === "webtransport" ? [relay.url + path, await hashOf(relay)] : [relay.http + path, undefined];
}

scene("@moq/publish sends a microphone, and stentor listen records it at another relay", async (scene) => {
  const [relay, other] = (await startNetwork(scene, ["relay-a", "relay-b"])) as [Relay, Relay];
  const said = speechLike(20);
  const folder = scratch(scene);
  const [microphone, out, stats] = [join(folder, "microphone.wav"), join(folder, "heard.wav"), join(folder, "stats.json")];
  writeFileSync(microphone, wav(said));
  const browser = await launch(scene, "--use-fake-device-for-media-stream", `--use-file-for-fake-audio-capture=${microphone}`);
  // It complains of a worklet that it was still loading when it learnt which microphone it has.
  const page = await open(scene, browser, await serve(scene, "publish", "<moq-publish></moq-publish>"), { permissions: ["microphone"], complaints: true });
  await page.click("button");
  await page.evaluate(([url, hash]) => (globalThis as unknown as Globals<PublishPage>).page.publish(url, "town/ada", hash), [relay.url, await hashOf(relay)] as const);
  await eventually("ada is live", async () => (await fetch(`${other.http}/v1/rooms/town`)).ok);
  const listener = new Process(scene, "listen", "--relay", other.url, "--no-standby", "--room", "town", "--duration", "6s", "--out", out, "--stats", stats);
  await eventually("the recording is done", async () => listener.ended);

  const version = await page.evaluate(() => (globalThis as unknown as Globals<PublishPage>).page.version());
  const heard = JSON.parse(readFileSync(stats, "utf8")) as { relay: string; tracks: { expected: number; played: number; lost: number }[] };
  const [track] = heard.tracks;
  const likeness = correlation(envelope(said), envelope(samplesOf(readFileSync(out))).slice(50, 250));
  scene.say(`${version}, likeness ${likeness.toFixed(3)}, ${JSON.stringify(heard)}`);
  assert.equal(version, "moq-lite-04");
  assert.ok(track !== undefined && track.played > 150, "too little came");
  // What another microphone would have said is like it by up to 0.6: the best of all places is looked for.
  assert.ok(likeness > 0.7, `what is heard is like what was said by ${likeness.toFixed(3)}`);
});

scene("@moq/net reads groups", (scene) => readsGroups(scene, "webtransport"));

scene("@moq/net reads groups over WebSocket", (scene) => readsGroups(scene, "websocket"));

scene("@moq/net reads datagrams in a session that declares it", async (scene) => {
  const { reading, file } = await read(scene, "webtransport", true);
  assert.equal(reading.groups.length, 0, "both came");
  assertSent(reading.datagrams, file);
});

async function readsGroups(scene: Scene, transport: Transport): Promise<void> {
  const { reading, file } = await read(scene, transport, false);
  assert.equal(reading.transport, transport);
  assert.equal(reading.datagrams.length, 0, "both came");
  assertSent(reading.groups, file);
  assert.deepEqual(reading.fetched, reading.groups[0], "FETCH gives the group that came");
}

/** Has a page read 100 packets of a voice from a file, which go out byte for byte. */
async function read(scene: Scene, transport: Transport, datagrams: boolean): Promise<{ reading: Reading; file: Buffer[] }> {
  const relay = await startRelay(scene, "relay-a");
  await speak(scene, [relay], "town", "ada", { file: voiceFile() });
  const page: Page = await open(scene, await launch(scene), await serve(scene, "net"));
  if (transport === "websocket") await without(page, "WebTransport");
  const [url, hash] = await way(relay, transport, "/town");
  const options = { name: "ada", track: "audio/data", count: 100, datagrams, ...(hash === undefined ? {} : { hash }) };
  const reading = await Promise.race([
    page.evaluate(([url, options]) => (globalThis as unknown as Globals<NetPage>).page.read(url, options), [url, options] as const),
    pause(20_000).then(() => Promise.reject(new Error("100 packets do not come"))),
  ]);
  const packets = [...reading.groups, ...reading.datagrams];
  const missing = (packets.at(-1)?.sequence ?? 0) - (packets[0]?.sequence ?? 0) + 1 - packets.length;
  scene.say(`${reading.version}, ${reading.groups.length} groups, ${reading.datagrams.length} datagrams, ${missing} missing between them`);
  assert.equal(reading.version, "moq-lite-05");
  assert.deepEqual(reading.announced, ["ada"]);
  assert.equal(reading.timescale, 1_000_000);
  assert.ok(Object.keys((reading.catalog as { audio: { renditions: object } }).audio.renditions).includes("audio/data"), JSON.stringify(reading.catalog));
  return { reading, file: packetsOf(readFileSync(voiceFile())) };
}

/** The packets of a reading are those of the file, each once, with its sequence and instant. */
function assertSent(packets: readonly Packet[], file: readonly Buffer[]): void {
  const sorted = [...packets].sort((a, b) => a.sequence - b.sequence);
  const [first] = sorted;
  assert.ok(first !== undefined);
  sorted.forEach(({ sequence, timestamp, payload }, i) => {
    assert.notEqual(sequence, sorted[i - 1]?.sequence);
    assert.equal(timestamp - first.timestamp, (sequence - first.sequence) * 20_000);
    const bytes = Buffer.from(payload, "base64"); // hang's legacy container: 8 bytes of time, then the packet
    assert.equal(bytes.readBigUInt64BE(0) & 0x3fff_ffff_ffff_ffffn, BigInt(timestamp));
    assert.ok(file[sequence % file.length]?.equals(bytes.subarray(8)), `packet ${sequence} is not that of the file`);
  });
}
