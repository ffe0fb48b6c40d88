import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ResetCode } from "../protocol";
import type { RoomListener } from "./listener";
import { Failure } from "./types";
import type { ListenerState, TrackStats } from "./types";
import { type World, inWorld, json, settled } from "./world.testing";

/** Starts a listener and lets it settle with a primary and a standby. */
async function playing(w: World, l: RoomListener): Promise<void> {
  const started = l.start();
  started.catch(() => undefined);
  await w.run(6000);
  await settled(started);
}

function track(l: RoomListener, speaker = "ada"): TrackStats {
  return l.stats().tracks.find((t) => t.speaker === speaker)!;
}

/** States as they came. */
function states(l: RoomListener): ListenerState[] {
  const seen: ListenerState[] = [];
  l.on("state", (s) => seen.push(s));
  return seen;
}

/** What p is rejected with; a failure of no kind if it is not. */
function rejected(p: Promise<unknown>): Promise<Failure> {
  return p.then(
    () => new Error("it did not fail") as Failure,
    (error: Failure) => error,
  );
}

/**
 * Has bob, who speaks as ada does, left out for three seconds of ten, for a second
 * again, and until what it returns is called. Relays know a quarter of a second ahead.
 */
async function crowd(w: World, l: RoomListener): Promise<() => void> {
  const bob = w.speak("bob", 12);
  const spans: { from: number; until: number }[] = [{ from: 0, until: Infinity }];
  const told = (): void => void (w.floor = [{ name: "ada", publisher: 11, spans: [{ from: 0, until: Infinity }] }, { name: "bob", publisher: 12, spans: [...spans] }]);
  w.speak("ada", 11);
  await playing(w, l);
  const back = (): void => {
    spans.push({ from: Math.floor((bob.packets.length - 15) / 6) * 6, until: Infinity });
    told();
  };
  for (const pause of [3000, 1000, 30_000]) {
    const until = Math.ceil((bob.packets.length + 12) / 6) * 6;
    spans.push({ from: spans.pop()!.from, until });
    told();
    await w.run(240 + pause);
    if (pause > 5000) break;
    back();
    await w.run(3000);
  }
  return back;
}

describe("a crowded stage", () => {
  for (const packet of [20, 60] as const) {
    test(`those who are not heard are neither missing nor a reason to suspect the relay: packets of ${packet} ms`, () =>
      inWorld(2, async (w) => {
        const l = w.listen({ packet });
        await crowd(w, l);
        const { lost, played, repaired, last } = track(l, "bob");
        assert.deepEqual({ lost, repaired, ada: track(l).lost }, { lost: 0, repaired: 0, ada: 0 });
        assert.ok(played < last - 100, `played ${played} up to ${last}: some were left out`);
        assert.equal(w.sounds[0]!.voices.get("ada")!.gaps, 0);
        assert.deepEqual(w.relays[1]!.asked.filter((t) => t.startsWith("audio")), [], "the standby is not tried");
        assert.deepEqual(l.stats().hops, []);
        assert.deepEqual(l.speakers.map((s) => [s.name, s.speaking]), [["ada", true], ["bob", false]]);
        await l.stop();
      }));
  }

  test("whoever a host mutes is not missing, and is heard again from the first frame on", () =>
    inWorld(2, async (w) => {
      const bob = w.speak("bob", 12);
      const room = (version: number, muted: boolean): void =>
        void (w.room = { room: "town", state: "live", version, stage: [{ name: "bob", role: "speaker", muted }], hands: 0 });
      const l = w.listen();
      await playing(w, l);
      w.floor = [{ name: "bob", publisher: 12, spans: [{ from: 0, until: bob.packets.length }] }]; // what relays do, and tell nobody
      for (const r of w.relays) r.tellsFloor = false;
      room(2, true);
      await w.run(3000);
      assert.deepEqual([track(l, "bob").lost, w.relays[1]!.asked.filter((t) => t.startsWith("audio")).length], [0, 0]);
      const { played } = track(l, "bob");
      w.floor = [{ name: "bob", publisher: 12, spans: [{ from: 0, until: 0 }, { from: Math.ceil(bob.packets.length / 3) * 3, until: Infinity }] }];
      room(3, false);
      await w.run(2000);
      const now = track(l, "bob");
      assert.deepEqual([now.lost, now.repaired], [0, 0]);
      assert.ok(now.played > played + 80, `played ${now.played - played}`);
      await l.stop();
    }));

  test("whoever speaks, too, hears everybody, and goes back to the audience afterwards", () =>
    inWorld(2, async (w) => {
      const l = w.listen({ hopId: 77 });
      await crowd(w, l);
      const setups = await Promise.all([...w.relays[0]!.clients].map(({ session }) => session.peerSetup));
      assert.deepEqual(setups.map(({ hopId }) => hopId), [77], "by it relays know the own voice");
      const before = track(l, "bob").played;
      await w.run(1000);
      assert.equal(track(l, "bob").played, before, "in the audience, left out");
      l.interactive = true;
      assert.equal(w.sounds[0]!.interactive, true);
      await w.run(2000);
      const { played, lost } = track(l, "bob");
      assert.ok(played > before + 80, `played ${played - before}`);
      assert.equal(lost, 0);
      l.interactive = false;
      await w.run(1000);
      const after = track(l, "bob").played;
      await w.run(2000);
      assert.deepEqual([track(l, "bob").played, track(l, "bob").lost, l.stats().hops], [after, 0, []]);
      await l.stop();
    }));

  test("what no relay tells of is missing", () =>
    inWorld(2, async (w) => {
      for (const r of w.relays) r.floors = false;
      const l = w.listen();
      await crowd(w, l);
      assert.ok(track(l, "bob").lost > 0, "or the tests above test nothing");
      assert.ok(w.relays[1]!.asked.some((t) => t.startsWith("audio")));
      await l.stop();
    }));

  test("the relay that one hops to goes on with the same", () =>
    inWorld(3, async (w) => {
      const l = w.listen();
      const back = await crowd(w, l);
      const { played } = track(l, "bob");
      w.relays[0]!.dead = true;
      await w.run(5000);
      back();
      await w.run(3000);
      assert.deepEqual([track(l, "bob").lost, track(l).lost], [0, 0]);
      assert.ok(track(l, "bob").played > played + 100, "bob is heard again");
      assert.equal(l.stats().hops.length, 1);
      await l.stop();
    }));
});

describe("listening", () => {
  test("hears a room without a gap", () =>
    inWorld(2, async (w) => {
      w.speak("ada");
      const l = w.listen();
      const seen = states(l);
      await playing(w, l);
      const { lost, played, expected } = track(l);
      assert.deepEqual({ lost, gaps: w.sounds[0]!.voices.get("ada")!.gaps }, { lost: 0, gaps: 0 });
      assert.ok(played === expected && played > 250, `played ${played} of ${expected}`);
      assert.deepEqual([l.state, l.stats().relay, l.stats().standby], ["playing", "relay-a", "relay-b"]);
      assert.deepEqual(seen, ["connecting", "playing"]);
      assert.deepEqual(l.speakers.map((s) => [s.name, s.speaking]), [["ada", true]]);
      assert.equal(l.listeners, 7);
      assert.equal(w.relays[1]!.asked.filter((t) => t.startsWith("audio")).length, 0, "the standby brings nothing");
      await l.stop();
      assert.equal(l.state, "idle");
      await w.run(100);
      assert.deepEqual(w.relays.map((r) => r.clients.size), [0, 0]);
      assert.equal(track(l).lost, 0, "counters outlive the end");
    }));

  test("hears two speakers, and either alone", () =>
    inWorld(2, async (w) => {
      w.speak("ada");
      const bob = w.speak("bob");
      const l = w.listen();
      await playing(w, l);
      assert.deepEqual(l.speakers.map((s) => s.name), ["ada", "bob"]);
      assert.deepEqual([track(l, "ada").lost, track(l, "bob").lost], [0, 0]);
      l.muteSpeaker("bob", true);
      l.setSpeakerVolume("bob", 0.5);
      assert.equal(w.sounds[0]!.voices.get("bob")!.muted, true);
      bob.over = true;
      await w.run(500);
      assert.deepEqual(l.speakers.map((s) => s.name), ["ada"]);
      await w.run(11_000);
      assert.deepEqual([...w.sounds[0]!.voices.keys()], ["ada"], "bob's voice is let go");
      w.speak("bob", 4711);
      await w.run(1000);
      assert.deepEqual(l.speakers.map((s) => [s.name, s.muted, s.volume]), [["ada", false, 1], ["bob", true, 0.5]]);
      await l.stop();
    }));

  test("waits in an empty room and plays when somebody begins", () =>
    inWorld(2, async (w) => {
      const l = w.listen();
      const seen = states(l);
      await playing(w, l);
      assert.equal(l.state, "waiting");
      w.speak("ada");
      await w.run(2000);
      assert.deepEqual(seen, ["connecting", "waiting", "playing"]);
      assert.ok(track(l).played > 50);
      await l.stop();
    }));

  test("plays a third party's voice, without bundles", () =>
    inWorld(2, async (w) => {
      w.speak("ada", 9, {
        audio: [{ track: "audio/data", codec: "opus", sampleRate: 48000, channels: 2, container: "legacy" }],
      });
      const l = w.listen();
      await playing(w, l);
      assert.equal(track(l).lost, 0);
      assert.ok(w.relays[0]!.asked.includes("audio/data"));
      await l.stop();
    }));

  test("takes single packets from a relay that makes no bundles", () =>
    inWorld(1, async (w) => {
      w.speak("ada");
      w.relays[0]!.bundles = false;
      w.relays[0]!.setup = {}; // another maker's: no ticks, no list
      const l = w.listen();
      await playing(w, l);
      assert.equal(track(l).lost, 0);
      assert.ok(track(l).played > 250);
      await l.stop();
    }));

  test("follows no more speakers than it can bear, whatever a relay announces", () =>
    inWorld(1, async (w) => {
      for (let i = 0; i < 80; i++) w.speak(`voice-${i}`, 5000 + i);
      const l = w.listen();
      await playing(w, l);
      assert.equal(l.speakers.length, 64);
      await l.stop();
    }));

  test("passes over what it cannot play until there is something else", () =>
    inWorld(1, async (w) => {
      w.speak("ada", 9, { audio: [{ track: "a", codec: "mp4a.40.2", sampleRate: 48000, channels: 2, container: "cmaf" }] });
      const l = w.listen();
      await playing(w, l);
      assert.deepEqual([l.state, l.stats().tracks.length], ["playing", 0]);
      await l.stop();
    }));

  for (const packet of [20, 60, 120] as const) {
    test(`repairs losses of one in twenty packets of ${packet} ms`, () =>
      inWorld(2, async (w) => {
        w.speak("ada");
        w.relays[0]!.loses = 20;
        const l = w.listen({ packet });
        await playing(w, l);
        await w.run(10_000);
        assert.ok(w.relays[0]!.lost > 5);
        assert.equal(track(l).lost, 0);
        assert.equal(w.sounds[0]!.voices.get("ada")!.gaps, 0);
        await l.stop();
      }));
  }
});

test("repairs from the only session there is", () =>
  inWorld(1, async (w) => {
    w.speak("ada");
    w.relays[0]!.loses = 20;
    const l = w.listen({ noStandby: true });
    await playing(w, l);
    await w.run(10_000);
    const { lost, repaired } = track(l);
    assert.equal(lost, 0);
    assert.ok(repaired > 20, `repaired ${repaired}`);
    await l.stop();
  }));

describe("what a relay's list says besides", () => {
  test("a listener stands by without a session as long as a relay asks for that", () =>
    inWorld(2, async (w) => {
      w.speak("ada");
      const l = w.listen();
      await playing(w, l);
      assert.equal(l.stats().standby, "relay-b");
      w.relays[0]!.hints = { cold: true };
      await w.run(500);
      assert.deepEqual([l.stats().standby, w.relays[1]!.clients.size], ["", 0]);
      w.relays[0]!.hints = {};
      await w.run(15_000);
      assert.deepEqual([l.stats().standby, track(l).lost], ["relay-b", 0]);
      await l.stop();
    }));

  test("one that wants none does not get one because relays have enough to spare", () =>
    inWorld(2, async (w) => {
      w.speak("ada");
      const l = w.listen({ noStandby: true });
      await playing(w, l);
      w.relays[0]!.hints = { cold: true };
      await w.run(1000);
      w.relays[0]!.hints = {};
      await w.run(5000);
      assert.equal(l.stats().standby, "");
      await l.stop();
    }));

  test("a standby that is said to be gone is replaced at once", () =>
    inWorld(3, async (w) => {
      w.speak("ada");
      const l = w.listen();
      await playing(w, l);
      assert.equal(l.stats().standby, "relay-b");
      w.relays[0]!.hints = { gone: ["relay-b", "relay-a"] };
      await w.run(5000);
      assert.deepEqual([l.stats().relay, l.stats().standby, track(l).lost], ["relay-a", "relay-c", 0], "one that speaks is not gone");
      await l.stop();
    }));
});

describe("hops", () => {
  const ways: { name: string; packet?: 20 | 60 | 120; cause: string; to: string; do: (w: World) => Promise<void> }[] = [
    { name: "the relay falls silent", cause: "silence", to: "relay-b", do: async (w) => void (w.relays[0]!.dead = true) },
    { name: "the relay falls silent, 20 ms packets", packet: 20, cause: "silence", to: "relay-b", do: async (w) => void (w.relays[0]!.dead = true) },
    { name: "the relay falls silent, 120 ms packets", packet: 120, cause: "silence", to: "relay-b", do: async (w) => void (w.relays[0]!.dead = true) },
    { name: "the session is lost", cause: "closed", to: "relay-b", do: async (w) => w.relays[0]!.lose() },
    { name: "the relay drains", cause: "drain", to: "relay-b", do: async (w) => w.relays[0]!.drain() },
    { name: "the relay drains and names another", cause: "drain", to: "relay-c", do: async (w) => w.relays[0]!.drain("https://relay-c:4443/town") },
    { name: "the relay has too much to do", cause: "load", to: "relay-c", do: async (w) => w.relays[0]!.drain("https://relay-c:4443/town#load") },
    { name: "the relay drains to a stranger", cause: "drain", to: "relay-b", do: async (w) => w.relays[0]!.drain("https://evil:4443/town") },
    {
      name: "the relay falls silent in a pause", cause: "silence", to: "relay-b",
      do: async (w) => {
        w.voices.get("ada")!.paused = true;
        await w.run(1000);
        w.relays[0]!.dead = true;
        await w.run(1000);
        w.voices.get("ada")!.paused = false;
      },
    },
  ];
  for (const way of ways) {
    test(way.name, () =>
      inWorld(3, async (w) => {
        w.speak("ada");
        const l = w.listen(way.packet ? { packet: way.packet } : {});
        const told: unknown[] = [];
        l.on("hop", (hop) => told.push(hop));
        await playing(w, l);
        assert.deepEqual([l.stats().relay, l.stats().standby], ["relay-a", "relay-b"]);
        await way.do(w);
        await w.run(6000);
        const { hops, relay, standby } = l.stats();
        assert.deepEqual(hops.map((h) => [h.from, h.to, h.cause, h.lost]), [["relay-a", way.to, way.cause, 0]]);
        assert.deepEqual(told, hops, "it is told once its losses are known");
        assert.equal(relay, way.to);
        assert.notEqual(standby, "");
        assert.equal(track(l).lost, 0);
        if (!way.name.includes("pause")) assert.equal(w.sounds[0]!.voices.get("ada")!.gaps, 0);
        assert.equal(l.state, "playing");
        await l.stop();
      }));
  }

  test("both relays die, and the room comes back", () =>
    inWorld(2, async (w) => {
      w.speak("ada");
      const l = w.listen();
      const seen = states(l);
      await playing(w, l);
      for (const r of w.relays) {
        r.dead = true;
        r.lose();
      }
      await w.run(5000);
      assert.equal(l.state, "reconnecting");
      assert.deepEqual(l.speakers.map((s) => s.name), ["ada"], "the room has not emptied");
      for (const r of w.relays) r.dead = false;
      await w.run(40_000);
      assert.equal(l.state, "playing");
      assert.deepEqual(seen, ["connecting", "playing", "reconnecting", "playing"]);
      const before = track(l).played;
      await w.run(2000);
      assert.ok(track(l).played > before + 90);
      await l.stop();
    }));

  for (const awaySeconds of [5, 60]) {
    test(`the only relay is away for ${awaySeconds} s, and starts again with another certificate`, () =>
      inWorld(1, async (w) => {
        w.speak("ada");
        const l = w.listen();
        await playing(w, l);
        const [relay] = w.relays;
        relay!.dead = true;
        await w.run(awaySeconds * 1000);
        assert.equal(l.state, "reconnecting");
        assert.ok(w.dials.length < 4 + awaySeconds / 8, `dialled ${w.dials.length} times`);
        relay!.restart();
        await w.run(5000);
        assert.equal(l.state, "playing", "it does not wait for the next try, nor for a certificate that is no more");
        const before = track(l).played;
        await w.run(1000);
        assert.ok(track(l).played > before + 40);
        await l.stop();
      }));
  }

  test("relays that answer their lobby, and let nobody in, are not dialled more often for it", () =>
    inWorld(1, async (w) => {
      w.speak("ada");
      const l = w.listen();
      await playing(w, l);
      const [relay] = w.relays;
      relay!.mute = true;
      relay!.lose();
      const before = w.dials.length;
      await w.run(60_000);
      assert.ok(w.dials.length - before < 12, `dialled ${w.dials.length - before} times`);
      await l.stop();
    }));

  test("goes on over another network", () =>
    inWorld(3, async (w) => {
      w.speak("ada");
      const l = w.listen();
      await playing(w, l);
      for (const watch of w.watches) watch.moved();
      await w.run(6000);
      assert.deepEqual(l.stats().hops.map((h) => [h.cause, h.lost]), [["network", 0]]);
      assert.equal(w.sounds[0]!.voices.get("ada")!.gaps, 0);
      await l.stop();
    }));

  test("a page that slept stays where it was", () =>
    inWorld(2, async (w) => {
      w.speak("ada");
      const l = w.listen();
      await playing(w, l);
      w.time += 60_000; // nothing runs, and nothing comes
      await w.run(5000);
      assert.deepEqual([l.state, l.stats().relay, l.stats().hops.length], ["playing", "relay-a", 0]);
      await l.stop();
    }));
});

describe("what goes wrong", () => {
  test("a full network: the queue says when, and lets in", () =>
    inWorld(1, async (w) => {
      w.speak("ada");
      w.route = () => json({ relays: [], retry_after_ms: 20_000 });
      const l = w.listen();
      const started = l.start();
      await w.run(1000);
      assert.equal(l.state, "queued");
      const wait = l.retryAtMs! - w.time;
      assert.ok(wait > 19_000 && wait < 25_000, `waits ${wait}`);
      await w.run(15_000); // longer than an unreachable network would be waited for
      assert.equal(l.state, "queued");
      assert.equal(w.dials.length, 0, "nobody is dialled who takes nobody");
      w.route = undefined;
      await w.run(8000);
      await settled(started);
      assert.equal(l.state, "playing");
      await l.stop();
    }));

  test("a crowd at the door: whoever had to wait and is refused goes on trying", () =>
    inWorld(1, async (w) => {
      w.speak("ada");
      w.route = () => json({ relays: [], retry_after_ms: 2000 });
      const l = w.listen();
      const started = l.start();
      await w.run(1000);
      assert.equal(l.state, "queued");
      w.route = undefined; // its turn has come, but the doors do not open
      const dial = w.connect.bind(w);
      w.connect = () => Promise.reject(new Failure("unreachable", "refused"));
      await w.run(40_000);
      assert.notEqual(l.state, "failed");
      w.connect = dial;
      await w.run(40_000);
      await settled(started);
      assert.equal(l.state, "playing");
      await l.stop();
    }));

  test("doors that do not open although a lobby sends there: tried for half a minute", () =>
    inWorld(1, async (w) => {
      const l = w.listen();
      const dial = w.connect.bind(w);
      w.connect = () => Promise.reject(new Failure("unreachable", "refused"));
      const started = l.start();
      await w.run(13_000);
      assert.equal(l.state, "connecting");
      w.connect = dial;
      await w.run(40_000);
      await settled(started);
      await l.stop();

      w.connect = () => Promise.reject(new Failure("unreachable", "refused"));
      const refused = w.listen();
      const failed = rejected(refused.start());
      await w.run(35_000);
      assert.equal((await settled(failed)).kind, "unreachable");
    }));

  test("a lobby that says so by status 503", () =>
    inWorld(1, async (w) => {
      w.route = () => json({ error: { code: "full", message: "full" } }, 503, { "retry-after": "3" });
      const l = w.listen();
      const started = l.start();
      await w.run(500);
      assert.equal(l.state, "queued");
      w.route = undefined;
      await w.run(5000);
      await settled(started);
      await l.stop();
    }));

  const rubbish: [string, () => Response | Promise<Response>][] = [
    ["no JSON", () => new Response("<html>hello")],
    ["another JSON", () => json([1, 2, 3])],
    ["relays of a wrong type", () => json({ relays: "all", retry_after_ms: 0 })],
    ["a negative waiting time", () => json({ relays: [], retry_after_ms: -1 })],
    ["entries without sense", () => json({ relays: [null, 1, {}, { name: "x" }, { name: "x", url: "javascript:alert(1)" }, { name: "x", url: "https://u:p@h/" }], retry_after_ms: 0 })],
    ["far too much", () => new Response("x".repeat(1 << 20))],
    ["nothing at all", () => Promise.reject(new TypeError("failed"))],
    ["status 404", () => new Response("not here", { status: 404 })],
  ];
  for (const [name, answer] of rubbish) {
    test(`a lobby that answers ${name}: the page's own relay is dialled`, () =>
      inWorld(2, async (w) => {
        w.speak("ada");
        w.route = answer;
        const l = w.listen();
        await playing(w, l);
        assert.equal(l.state, "playing");
        assert.equal(new URL(w.dials[0]!).host, "relay-a:4443");
        assert.equal(l.stats().standby, "relay-b", "its list of relays is believed");
        await l.stop();
      }));
  }

  test("a relay that sends rubbish is left for the next", () =>
    inWorld(3, async (w) => {
      w.speak("ada");
      w.relays[0]!.rubbish = Uint8Array.of(1, 0x42, 0xff, 1, 2, 3);
      const l = w.listen();
      await playing(w, l);
      assert.deepEqual([l.state, l.stats().relay], ["playing", "relay-b"]);
      await l.stop();
    }));

  test("a relay that never introduces itself is left for the next", () =>
    inWorld(2, async (w) => {
      w.speak("ada");
      w.relays[0]!.rubbish = new Uint8Array(0);
      const l = w.listen();
      const started = l.start();
      await w.run(8000);
      await settled(started);
      assert.equal(l.stats().relay, "relay-b");
      await l.stop();
    }));

  test("nobody answers: it fails, in words", () =>
    inWorld(2, async (w) => {
      for (const r of w.relays) r.dead = true;
      const l = w.listen();
      const started = rejected(l.start());
      await w.run(12_000);
      const failure = await settled(started);
      assert.equal(failure.kind, "unreachable");
      assert.equal(l.state, "failed");
      assert.equal(l.failure, failure);
      for (const r of w.relays) r.dead = false;
      const again = l.start();
      await w.run(1000);
      await settled(again);
      assert.equal(l.state, "waiting");
      await l.stop();
    }));

  for (const [code, kind] of [[ResetCode.Unauthorized, "unauthorized"], [ResetCode.RoleViolated, "forbidden"]] as const) {
    test(`the token is refused: ${kind}`, () =>
      inWorld(2, async (w) => {
        for (const r of w.relays) r.refuse = { code, reason: "token: not for this room" };
        const l = w.listen({ token: "a.b.c" });
        const started = rejected(l.start());
        await w.run(12_000);
        const failure = await settled(started);
        assert.equal(failure.kind, kind);
        assert.match(failure.message, /not for this room/);
        assert.deepEqual(new URL(w.dials[0]!).searchParams.get("jwt"), "a.b.c");
      }));
  }

  test("a token that has expired, which browsers do not hear of", () =>
    inWorld(1, async (w) => {
      w.relays.length = 0; // whoever is dialled refuses, without a word
      w.route = () => json({ relays: [{ name: "r", url: "https://r:1/town" }], retry_after_ms: 0 });
      const token = `x.${btoa(JSON.stringify({ root: "town", exp: 1_600_000_000 }))}.y`;
      const l = w.listen({ token });
      const started = rejected(l.start());
      await w.run(3000);
      const failure = await settled(started);
      assert.equal(failure.kind, "unauthorized");
      assert.match(failure.message, /expired/);
    }));

  test("a token that is refused without a word", () =>
    inWorld(2, async (w) => {
      w.refuses = "token: missing";
      const l = w.listen();
      const started = rejected(l.start());
      await w.run(500);
      const failure = await settled(started);
      assert.deepEqual([failure.kind, failure.message], ["unauthorized", "token: missing"]);
      assert.equal(l.state, "failed");
    }));

  test("a token that expires mid-way", () =>
    inWorld(2, async (w) => {
      w.speak("ada");
      const l = w.listen({ token: "a.b.c" });
      await playing(w, l);
      for (const r of w.relays) {
        r.refuse = { code: ResetCode.Unauthorized, reason: "token has expired" };
        r.close(ResetCode.Unauthorized, "token has expired");
      }
      await w.run(2000);
      assert.equal(l.state, "failed");
      assert.equal(l.failure!.kind, "unauthorized");
      assert.match(l.failure!.message, /expired/);
    }));

  test("sound that is locked", () =>
    inWorld(1, async (w) => {
      w.speak("ada");
      w.locked = true;
      const l = w.listen();
      await playing(w, l);
      assert.equal(l.state, "locked");
      await l.resume();
      assert.equal(l.state, "playing");
      w.sounds[0]!.enter("interrupted");
      assert.equal(l.state, "interrupted");
      await l.stop();
    }));

  test("a browser that cannot play", () =>
    inWorld(1, async (w) => {
      const l = w.listen();
      w.sound = () => {
        throw new Error("no AudioWorklet");
      };
      const failure = await rejected(l.start());
      assert.deepEqual([failure.kind, l.state], ["unsupported", "failed"]);
    }));

  test("two listeners in one page share nothing", () =>
    inWorld(2, async (w) => {
      w.speak("ada");
      const [a, b] = [w.listen(), w.listen()];
      const started = [a.start(), b.start()];
      await w.run(3000);
      await settled(Promise.all(started));
      await a.stop();
      await w.run(2000);
      assert.deepEqual([a.state, b.state, track(b).lost], ["idle", "playing", 0]);
      await b.stop();
    }));

  test("names that cannot be", () =>
    inWorld(1, async (w) => {
      for (const room of ["", ".stentor", "a/b", "x".repeat(200), "a\nb"]) assert.throws(() => w.listen({ room }), TypeError);
    }));
});
