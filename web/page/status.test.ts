import assert from "node:assert/strict";
import test from "node:test";
import type { FailureKind, Hop, ListenerState, ListenerStats } from "../src/client/types";
import { appearance, clock, connectionLine, failureKey, hopLine, type Situation } from "./status";
import { shellWord } from "./connection";
import { Words } from "./text";

const english = new Words("en");
const calm: Situation = { state: "idle", failure: undefined, token: false, live: true, speaking: false, stopped: false, muted: false, seconds: 0, room: undefined };

test("every state has a sentence, and the button does what it says", () => {
  for (const [state, status, deed] of [
    ["idle", "status.idle", "start"],
    ["connecting", "status.connecting", "stop"],
    ["queued", "status.queued", "stop"],
    ["waiting", "status.waiting", "stop"],
    ["playing", "status.playing", "stop"],
    ["locked", "status.locked", "resume"],
    ["interrupted", "status.interrupted", "resume"],
    ["reconnecting", "status.reconnecting", "stop"],
    ["failed", "failure.unreachable", "again"],
  ] as const satisfies readonly (readonly [ListenerState, string, string])[]) {
    const look = appearance({ ...calm, state });
    assert.deepEqual([look.status, look.deed], [status, deed], state);
  }
  assert.equal(appearance({ ...calm, live: false }).status, "status.idle.silent");
  assert.equal(appearance({ ...calm, state: "waiting", speaking: true }).status, "status.alone");
  assert.equal(appearance({ ...calm, stopped: true }).status, "status.idle.stopped");
  assert.equal(appearance({ ...calm, state: "failed", failure: "removed" }).button, "listen.back");
  assert.equal(appearance({ ...calm, state: "playing", muted: true }).status, "status.playing.muted");
});

test("every failure has its own words, and says what to do", () => {
  const kinds: FailureKind[] = ["unreachable", "unauthorized", "forbidden", "name-taken", "unsupported", "microphone-refused", "microphone-missing", "microphone-lost", "protocol", "removed", "banned", "ended"];
  const said = kinds.flatMap((kind) => [true, false].map((token) => english.say(failureKey(kind, "listen", token))));
  assert.equal(new Set(said).size, kinds.length + 1, "unauthorized has two sentences");
  assert.notEqual(failureKey("forbidden", "talk", true), failureKey("forbidden", "listen", true));
});

const track = { speaker: "ada", first: 0, last: 99, expected: 100, played: 100, lost: 0, concealed: 0, repaired: 0, duplicate: 0, late: 0 };
const stats: ListenerStats = { room: "town", durationMs: 60_000, relay: "relay-a", standby: "relay-b", transport: "webtransport", delayMs: 204, rttMs: 3, underruns: 0, tracks: [track], hops: [] };
const hop: Hop = { atMs: 55_000, from: "relay-a", to: "relay-b", cause: "silence", tookMs: 71, lost: 0 };

test("the line tells relay, delay, losses and hops", () => {
  const line = (change: Partial<ListenerStats>): string => connectionLine({ ...stats, ...change }, english).join(" · ");
  assert.equal(line({}), "relay-a · 0.2 s behind · nothing lost");
  assert.equal(line({ tracks: [{ ...track, lost: 2 }, { ...track, lost: 1 }] }), "relay-a · 0.2 s behind · 0.06 s lost");
  assert.equal(line({ relay: "relay-b", hops: [hop] }), "moved to relay-b, nothing lost · 0.2 s behind");
  assert.equal(line({ relay: "relay-b", hops: [{ ...hop, lost: 3 }] }), "moved to relay-b, 0.06 s lost · 0.2 s behind");
  assert.equal(line({ durationMs: 90_000, relay: "relay-b", hops: [hop] }), "relay-b · 0.2 s behind · nothing lost · moved once");
  assert.equal(line({ durationMs: 90_000, hops: [hop, hop] }), "relay-a · 0.2 s behind · nothing lost · moved 2 times");
  assert.equal(line({ relay: "" }), "Not connected");
});

test("a hop in a sentence", () => {
  assert.match(hopLine(hop, new Date(0), english), /: relay-a to relay-b, because it fell silent, nothing lost$/);
  assert.match(hopLine({ ...hop, cause: "drain", lost: 5, from: "" }, new Date(0), new Words("fr")), / : de – à relay-b, pour maintenance, 0,10 s perdues$/);
});

test("durations", () => {
  for (const [ms, want] of [[0, "0:00"], [59_999, "0:59"], [60_000, "1:00"], [3_723_000, "1:02:03"]] as const) assert.equal(clock(ms), want);
});

test("a name is one word for a shell", () => {
  for (const [name, want] of [["town", "town"], ["a b", "'a b'"], ["$(x)", "'$(x)'"], ["it's", "'it'\\''s'"], ["", "''"]] as const) assert.equal(shellWord(name), want);
});
