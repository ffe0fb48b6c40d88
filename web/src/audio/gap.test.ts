import assert from "node:assert/strict";
import { test } from "node:test";
import { Buffer } from "./buffer";
import { micros, packetOf } from "./testing/scene";

const push = (b: Buffer, seq: number, at = seq * 20): void => void b.push(seq, micros(seq * 20), packetOf(seq), at);

/** Pushes packets from `from` to until-1 as they are spoken, and takes out what is due. */
function speak(b: Buffer, from: number, until: number, played: number[]): void {
  for (let seq = from; seq < until; seq++) {
    push(b, seq);
    take(b, seq * 20, played);
  }
}

function take(b: Buffer, at: number, played: number[]): void {
  const slot = b.pop(at);
  if (slot.kind === "play") played.push(slot.sequence);
}

const gaps = [
  { name: "a short gap", resume: 36, from: 30, until: 36 },
  { name: "one that has no end yet", resume: 36, from: 30, until: Infinity },
  { name: "one that ends before what comes", resume: 38, from: 30, until: 36 },
  { name: "one that ends behind it", resume: 36, from: 30, until: 60 },
  { name: "one that no window holds", resume: 6000, from: 30, until: 6000 },
  { name: "nor any two, without an end", resume: 6000, from: 30, until: Infinity },
  { name: "as long as the window", resume: 30 + 256, from: 30, until: 30 + 256 },
  { name: "one less", resume: 30 + 255, from: 30, until: 30 + 255 },
];

for (const { name, resume, from, until } of gaps) {
  test(`what is left out is not lost: ${name}`, () => {
    const b = new Buffer();
    const played: number[] = [];
    speak(b, 0, 24, played);
    b.leaveOut(from, until);
    speak(b, 24, 30, played);
    assert.equal(b.expectedBy(), null, "nothing is expected in the gap");
    for (let at = 30 * 20; at < resume * 20; at += 20) take(b, at, played);
    speak(b, resume, resume + 50, played);
    const end = (resume + 50) * 20;
    const lost = until < resume ? resume - until : 0;
    if (lost === 0) assert.deepEqual(b.holes(end, 0), []);
    for (let at = end; at < end + 1000; at += 20) take(b, at, played);
    const st = b.stats;
    assert.deepEqual(
      { played: st.played, lost: st.lost, others: st.late + st.refused + st.duplicate, last: st.last },
      { played: 80, lost, others: 0, last: resume + 49 },
    );
    assert.deepEqual(played, [...Array.from({ length: 30 }, (_, i) => i), ...Array.from({ length: 50 }, (_, i) => resume + i)]);
  });
}

test("both sides of a short gap wait, and what is lost beside it is asked for", () => {
  const b = new Buffer();
  b.leaveOut(5, 12);
  for (const seq of [0, 1, 2, 4, 12, 13]) push(b, seq); // 3 is lost, 5 to 11 are left out
  assert.deepEqual(b.holes(12 * 20, 0).map((hole) => hole.sequence), [3]);
  const kinds = new Map<string, number[]>();
  for (let at = 200; at < 800; at += 20) {
    const slot = b.pop(at);
    if ("sequence" in slot) kinds.set(slot.kind, [...(kinds.get(slot.kind) ?? []), slot.sequence]);
  }
  assert.deepEqual([kinds.get("play"), kinds.get("lost")], [[0, 1, 2, 4, 12, 13], [3]]);
  assert.equal(b.stats.expected, 7);
});

test("a gap is taken back", () => {
  const b = new Buffer();
  const played: number[] = [];
  speak(b, 0, 10, played);
  b.leaveOut(10, Infinity);
  b.leaveOut(Infinity, Infinity); // it goes on after all
  speak(b, 12, 13, played);
  assert.deepEqual(b.holes(15 * 20, 0).map((hole) => hole.sequence), [10, 11]);
});

test("a gap that went by while nobody could listen is not played late", () => {
  const b = new Buffer();
  b.leaveOut(5, 50);
  for (const seq of [0, 1, 2, 3, 4]) push(b, seq);
  push(b, 50);
  b.skip(50 * 20 + 210);
  assert.deepEqual([b.stats.lost, b.timing(0).missing, b.timing(0).buffered], [0, 0, 0]);
});
