import assert from "node:assert/strict";
import { test } from "node:test";
import { Buffer } from "./buffer";
import { inRuns, micros, packetOf } from "./testing/scene";

const push = (b: Buffer, seq: number, now: number) => b.push(seq, micros(seq * 20), packetOf(seq), now);

/** Pops n blocks from now on; the sequences played, and a letter for each block. */
function play(b: Buffer, now: number, n: number): { sequences: number[]; letters: string } {
  const sequences: number[] = [];
  let letters = "";
  for (let i = 0; i < n; i++) {
    const slot = b.pop(now + i * 20);
    letters += slot.kind[0];
    if (slot.kind === "play") sequences.push(slot.sequence);
  }
  return { sequences, letters: inRuns(letters) };
}

test("a listener unlocks a minute late and hears what is said now", () => {
  const b = new Buffer();
  for (let seq = 0, now = 0; now < 60_000; seq++, now += 20) {
    if (seq % 10 !== 3) push(b, seq, now); // one in ten never comes
    if (now % 250 < 20) b.skip(now);
    assert.deepEqual(b.holes(now, 10), [], "nothing is fetched that nobody hears");
  }
  b.skip(60_000);
  const { sequences, letters } = play(b, 60_000, 5);
  assert.equal(sequences[0], 2990); // spoken at 59 800, due at 60 000
  assert.equal(letters, "3p 1l 1p");
  const { expected, played, lost, skipped, first } = b.stats;
  assert.deepEqual({ expected, played, lost, first }, { expected: 5, played: 4, lost: 1, first: 2990 });
  assert.equal(skipped, 2990 * 0.9);
});

test("after a sleep what was held up comes in a burst and is not played late", () => {
  const b = new Buffer();
  let now = 0;
  let seq = 0;
  for (; now < 5000; now += 20) {
    push(b, seq++, now);
    b.pop(now);
  }
  now = 5000 + 900; // shorter than the longest delay: not stale by itself
  b.skip(now);
  for (; seq * 20 <= now; seq++) push(b, seq, now);
  const { sequences } = play(b, now, 1);
  assert.deepEqual(sequences, [(now - 200) / 20]);
  assert.equal(b.timing(now).delay, 200, "the burst says nothing about the network");
  assert.equal(b.stats.lost, 0);
});

test("a burst a second after waking is the network's, and is played", () => {
  const b = new Buffer();
  let seq = 0;
  for (let now = 0; now < 1000; now += 20) push(b, seq++, now);
  b.skip(1000);
  for (let now = 1000; now < 2500; now += 20) {
    push(b, seq++, now);
    b.pop(now);
  }
  const before = b.stats.played;
  for (let i = 0; i < 30; i++) push(b, seq++, 3100); // 600 ms of speech at once
  assert.equal(play(b, 3100, 40).sequences.length, 40);
  assert.equal(b.stats.played, before + 40);
  assert.equal(b.stats.lost, 0);
});

test("a locked listener's buffer holds no more than a window", () => {
  const b = new Buffer();
  for (let seq = 0; seq < 5000; seq++) push(b, seq, seq * 20); // nobody even calls skip
  assert.ok(b.timing(100_000).buffered <= 256);
  b.skip(100_000);
  assert.equal(b.timing(100_000).missing, 0);
});

test("a sound card that starts slowly makes what it plays late, and leaves nothing out", () => {
  const b = new Buffer();
  for (let seq = 0; seq < 50; seq++) push(b, seq, seq * 20);
  b.skip(1000);
  const { sequences } = play(b, 1001, 2);
  for (let seq = 50; seq < 100; seq++) push(b, seq, seq * 20);
  sequences.push(...play(b, 1200, 40).sequences);
  assert.deepEqual(sequences, Array.from({ length: 42 }, (_, i) => 40 + i));
});
