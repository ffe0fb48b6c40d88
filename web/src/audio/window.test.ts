import assert from "node:assert/strict";
import { test } from "node:test";
import { Buffer } from "./buffer";
import { MAX_PACKET } from "./config";
import { noStats } from "./stats";
import { micros, packetOf, say } from "./testing/scene";

test("a buffer refuses what is no frame of its run", () => {
  const good = packetOf(100);
  const cases: [name: string, seq: number, timestamp: number, packet: Uint8Array][] = [
    ["an empty packet", 101, 20_000, new Uint8Array(0)],
    ["a packet longer than any", 101, 20_000, new Uint8Array(MAX_PACKET + 1)],
    ["a sequence no number holds exactly", 2 ** 53, 20_000, good],
    ["a negative sequence", -1, 20_000, good],
    ["half a sequence", 100.5, 20_000, good],
    ["no sequence", NaN, 20_000, good],
    ["an endless timestamp", 101, Infinity, good],
    ["a negative timestamp", 101, -1, good],
    ["the highest sequence", Number.MAX_SAFE_INTEGER, 20_000, good],
    ["a sequence far ahead", 10_100, 20_000, good],
    ["a sequence just outside", 100 + 256, 20_000, good],
  ];
  for (const [name, seq, timestamp, packet] of cases) {
    const b = new Buffer();
    b.push(100, 0, good, 0);
    assert.equal(b.push(seq, timestamp, packet, 20), "refused", name);
    const { buffered, missing } = b.timing(20);
    assert.deepEqual([buffered, missing], [1, 0], name);
  }
});

test("what becomes of each push", () => {
  const b = new Buffer();
  let now = 200;
  for (const [what, seq, pops, want] of [
    ["the first", 100, 0, "accepted"],
    ["again", 100, 0, "duplicate"],
    ["one before it, nothing played yet", 98, 0, "accepted"],
    ["the one between", 99, 0, "accepted"],
    ["one with two missing before", 103, 0, "accepted"],
    ["one that was played", 100, 3, "duplicate"],
    ["one before all that was played", 97, 0, "late"],
    ["and once more", 97, 0, "duplicate"],
    ["one that may still come", 102, 1, "accepted"],
    ["one given up", 101, 0, "late"],
  ] as const) {
    for (let i = 0; i < pops; i++, now += 20) b.pop(now);
    assert.equal(b.push(seq, micros(seq * 20), packetOf(seq), 0), want, what);
  }
});

test("a window that moves before anything was played loses what it held", () => {
  for (const { to, want } of [
    { to: 5000, want: { first: 1000, last: 4999, expected: 4000, lost: 4000, late: 2, refused: 1 } },
    { to: 0, want: { first: 1000, last: 1001, expected: 2, lost: 2, late: 2, refused: 1 } },
  ]) {
    const b = new Buffer();
    [1000, 1001, to, to + 1].forEach((seq, i) => {
      const now = Math.floor(i / 2) * 1000;
      b.push(seq, micros(now), packetOf(seq), now);
    });
    assert.deepEqual(b.stats, { ...noStats(), ...want });
    assert.deepEqual(b.holes(1010, 0).map((h) => h.sequence), [to]); // the refused one
  }
});

test("a flood keeps a window's worth and nothing else", () => {
  const b = new Buffer();
  const packet = new Uint8Array(MAX_PACKET);
  for (let i = 0; i < 20_000; i++) b.push(i, i * 20_000, packet, i / 1000);
  assert.equal(b.timing(0).buffered, 256);
  assert.equal(b.stats.refused, 20_000 - 256);
  for (let i = 0; i < 1000; i++) b.pop(1000); // it goes on when its speaker does
  b.push(20_000, 20_000 * 20_000, packet, 2000);
  assert.equal(b.push(20_001, 20_001 * 20_000, packet, 2000), "accepted");
});

/** Has 0, 1 and 4: 2 and 3 are missing, due at 240 and 260. */
function holed(): Buffer {
  const b = new Buffer();
  for (const seq of [0, 1, 4]) b.push(seq, micros(seq * 20), packetOf(seq), seq * 20);
  return b;
}

test("holes are asked for once, with a deadline", () => {
  const two = { sequence: 2, by: 240 };
  const three = { sequence: 3, by: 260 };
  const b = holed();
  for (const [what, at, roundTrip, failed, want] of [
    ["too early: it may only be overtaken", 89, 30, 0, []],
    ["now", 90, 30, 0, [two, three]],
    ["not again", 110, 30, 0, []],
    ["a fetch that failed", 120, 30, 3, [three]],
    ["a round trip and 20 ms later", 140, 30, 0, [two]],
    ["the one that was asked for later", 170, 30, 0, [three]],
    ["three times are enough", 190, 30, 3, [two]],
    ["for both", 210, 20, 2, []],
    ["a sequence that is not missing", 211, 20, 4, []],
  ] as const) {
    b.fetchFailed(failed);
    assert.deepEqual(b.holes(at, roundTrip), want, what);
  }
  for (const [at, want] of [[139, [two, three]], [140, [three]], [159, [three]], [160, []]] as const) {
    assert.deepEqual(holed().holes(at, 100), want, `at ${at}`);
  }
});

test("a buffer says by when the next frame will have come", () => {
  const b = new Buffer({ packetMs: 60 });
  assert.equal(b.expectedBy(), null);
  for (const a of say(0, 60).bundled(3)) b.push(a.seq, micros(a.spoken), packetOf(a.seq), a.at + 30);
  b.pop(1250);
  // The last bundle came at 1180+30 ms; the next will 60 ms later.
  assert.deepEqual(b.expectedBy(), { sequence: 60, by: 1270 });
});

test("pushed packets are the buffer's own", () => {
  const b = new Buffer();
  const packet = packetOf(7);
  b.push(0, 0, packet, 0);
  packet.fill(0);
  const slot = b.pop(200);
  assert.deepEqual(slot.kind === "play" && slot.packet, packetOf(7));
});
