import assert from "node:assert/strict";
import { test } from "node:test";
import { AudioError } from "../audio";
import { ResetCode, Track, parseCatalog, parseLegacy } from "../protocol";
import type { Session } from "../session/session";
import { firstFrames } from "./line";
import type { Failure, TalkerState } from "./types";
import { type FakeRelay, type World, inWorld, settled } from "./world.testing";

/** What a relay hears of a talker that publishes to it. */
class Ear {
  readonly sequences: number[] = [];
  readonly news: string[] = [];

  static async at(relay: FakeRelay): Promise<Ear> {
    const ear = new Ear();
    const [client] = [...relay.clients].slice(-1);
    await ear.listen(client!.session);
    return ear;
  }

  private async listen(session: Session): Promise<void> {
    const announcements = await session.announced("");
    void (async () => {
      for await (const a of announcements) this.news.push(`${a.active ? "+" : "-"}${a.suffix}`);
    })().catch(() => undefined);
    await session.subscribe(
      { broadcast: "ada", track: Track.Audio, priority: 0, ordered: false, maxLatencyMs: 0 },
      firstFrames((frame, sequence) => {
        assert.equal(parseLegacy(frame.payload).timestampUs, frame.timestamp);
        this.sequences.push(sequence);
      }),
    );
  }
}

function failed(p: Promise<unknown>): Promise<Failure> {
  return p.then(() => new Error("it did not fail") as Failure, (error: Failure) => error);
}

async function live(w: World, ms = 3000): ReturnType<typeof talk> {
  return talk(w, ms);
}

async function talk(w: World, ms: number): Promise<{ t: ReturnType<World["talk"]>; seen: TalkerState[] }> {
  const t = w.talk();
  const seen: TalkerState[] = [];
  t.on("state", (s) => seen.push(s));
  const started = t.start();
  await w.run(ms);
  await settled(started);
  return { t, seen };
}

test("speaks to two relays at once, the same frames under the same numbers", () =>
  inWorld(3, async (w) => {
    const { t, seen } = await live(w);
    assert.deepEqual(seen, ["asking", "connecting", "live"]);
    assert.deepEqual(t.relays, ["relay-a", "relay-b"]);
    const ears = [await Ear.at(w.relays[0]!), await Ear.at(w.relays[1]!)];
    await w.run(2000);
    for (const { sequences, news } of ears) {
      assert.deepEqual(news, ["+ada"]);
      assert.ok(sequences.length >= 100);
      assert.deepEqual(sequences, sequences.map((_, i) => sequences[0]! + i), "consecutive");
    }
    assert.ok(t.level > 0.3);
    const stopped = t.stop();
    await w.run(2000);
    await settled(stopped);
    assert.deepEqual(ears[0]!.news, ["+ada", "-ada"], "the end is announced");
    assert.equal(t.state, "idle");
    assert.deepEqual(w.relays.map((r) => r.clients.size), [0, 0, 0]);
    assert.equal(w.microphones[0]!.open, false);
  }));

test("says how loud it is, ten times a second, to both relays", () =>
  inWorld(2, async (w) => {
    const { t } = await live(w);
    const heard: string[][] = [];
    for (const relay of w.relays) {
      const reports: string[] = [];
      heard.push(reports);
      const { session } = [...relay.clients].at(-1)!;
      assert.deepEqual(await session.trackInfo("ada", "level"), { priority: 0, ordered: false, maxLatencyMs: 1000, timescale: 1000 });
      await session.subscribe({ broadcast: "ada", track: "level", priority: 0, ordered: false, maxLatencyMs: 0 }, firstFrames(({ payload }, sequence) => reports.push(`${sequence}:${payload}`)));
    }
    await w.run(1000);
    for (const reports of heard) {
      assert.ok(reports.length >= 9 && reports.length <= 12, `${reports}`);
      const first = Number(reports[0]!.split(":")[0]);
      assert.deepEqual(reports, reports.map((_, i) => `${first + i}:${26 | 0x80}`), "one byte: speech, 26 dB below full scale");
    }
    const stopped = t.stop();
    await w.run(1000);
    await settled(stopped);
  }));

test("describes the voice and its bundles", () =>
  inWorld(1, async (w) => {
    const { t } = await live(w);
    const [client] = w.relays[0]!.clients;
    const [frame] = await client!.session.fetch({ broadcast: "ada", track: Track.Catalog, priority: 0, group: 0 });
    assert.deepEqual(parseCatalog(frame!.payload).audio.map((r) => r.track), ["audio/data", "audio/60ms", "audio/120ms"]);
    void t.stop();
    await w.run(1000);
  }));

for (const [name, end] of [
  ["dies", (r: FakeRelay) => void (r.dead = true)],
  ["is lost", (r: FakeRelay) => r.lose()],
  ["drains", (r: FakeRelay) => r.drain()],
] as const) {
  test(`one of its relays ${name}: another takes its place, and the other goes on`, () =>
    inWorld(3, async (w) => {
      const { t, seen } = await live(w);
      const ear = await Ear.at(w.relays[1]!);
      const hops: string[] = [];
      t.on("hop", (h) => hops.push(`${h.from} ${h.to}`));
      end(w.relays[0]!);
      await w.run(4000);
      assert.deepEqual(hops, ["relay-a relay-c"]);
      assert.deepEqual([...t.relays].sort(), ["relay-b", "relay-c"]);
      assert.deepEqual(ear.sequences, ear.sequences.map((_, i) => ear.sequences[0]! + i));
      assert.deepEqual(seen, ["asking", "connecting", "live"]);
      void t.stop();
      await w.run(1000);
    }));
}

test("all relays are lost, and come back", () =>
  inWorld(2, async (w) => {
    const { t, seen } = await live(w);
    for (const r of w.relays) {
      r.dead = true;
      r.lose();
    }
    await w.run(3000);
    assert.equal(t.state, "reconnecting");
    for (const r of w.relays) r.dead = false;
    await w.run(40_000);
    assert.equal(t.state, "live");
    const ear = await Ear.at(w.relays[0]!);
    await w.run(1000);
    assert.ok(ear.sequences[0]! > 2000, "it went on counting");
    assert.deepEqual(seen, ["asking", "connecting", "live", "reconnecting", "live"]);
    void t.stop();
    await w.run(1000);
  }));

test("mutes, at the end of a bundle", () =>
  inWorld(1, async (w) => {
    const { t } = await live(w);
    const ear = await Ear.at(w.relays[0]!);
    const told: boolean[] = [];
    t.on("muted", (m) => told.push(m));
    t.setMuted(true);
    await w.run(1000);
    const last = ear.sequences.at(-1)!;
    assert.equal(last % 6, 5);
    t.setMuted(false);
    await w.run(1000);
    assert.ok(ear.sequences.at(-1)! > last + 40);
    assert.deepEqual([told, t.muted], [[true, false], false]);
    void t.stop();
    await w.run(1000);
  }));

for (const [code, kind] of [
  [ResetCode.Duplicate, "name-taken"],
  [ResetCode.Unauthorized, "unauthorized"],
  [ResetCode.RoleViolated, "forbidden"],
] as const) {
  test(`the relays refuse: ${kind}`, () =>
    inWorld(2, async (w) => {
      for (const r of w.relays) r.refuse = { code, reason: "no" };
      const t = w.talk();
      const started = failed(t.start());
      await w.run(3000);
      assert.equal(t.state, "failed");
      assert.equal(t.failure!.kind, kind);
      await settled(started);
      assert.equal(w.microphones[0]!.open, false, "nobody is listened to");
    }));
}

for (const [name, kind, set] of [
  ["the token lets only listen", "forbidden", (w: World) => void (w.speakable = [])],
  ["the token is another's", "forbidden", (w: World) => void (w.speakable = ["bob"])],
  ["the name is taken", "name-taken", (w: World) => void w.taken.push("ada")],
] as const) {
  test(`the relays drop it without a word: ${name}`, () =>
    inWorld(2, async (w) => {
      set(w);
      for (const r of w.relays) r.mute = true;
      const t = w.talk();
      const started = t.start().catch(() => undefined);
      await w.run(2000);
      assert.deepEqual([t.state, t.failure?.kind], ["failed", kind]);
      await settled(started);
    }));
}

for (const [fault, kind] of [["refused", "microphone-refused"], ["no-device", "microphone-missing"], ["cannot-encode", "unsupported"]] as const) {
  test(`the microphone: ${fault}`, () =>
    inWorld(1, async (w) => {
      w.microphoneError = new AudioError(fault, "in words");
      const t = w.talk();
      const failure = await failed(t.start());
      assert.deepEqual([failure.kind, failure.message, t.state], [kind, "in words", "failed"]);
      assert.deepEqual(w.dials, [], "nobody is told");
    }));
}

test("the microphone is unplugged", () =>
  inWorld(1, async (w) => {
    const { t } = await live(w);
    w.microphones[0]!.unplug(new AudioError("unplugged", "it went away"));
    await w.run(1000);
    assert.deepEqual([t.state, t.failure!.kind], ["failed", "microphone-lost"]);
    assert.equal(w.relays[0]!.clients.size, 0);
  }));

test("names that cannot be", () =>
  inWorld(1, async (w) => {
    for (const name of ["", ".x", "a/b"]) assert.throws(() => w.talk({ name }), TypeError);
  }));
