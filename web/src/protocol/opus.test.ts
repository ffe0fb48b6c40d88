import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { frameDurationMs, parseOpus, ProtocolError } from ".";

// RFC 6716 table 2.
test("frame durations", () => {
  const want = [
    ...[10, 20, 40, 60], ...[10, 20, 40, 60], ...[10, 20, 40, 60],
    ...[10, 20], ...[10, 20],
    ...[2.5, 5, 10, 20], ...[2.5, 5, 10, 20], ...[2.5, 5, 10, 20], ...[2.5, 5, 10, 20],
  ];
  assert.deepEqual(want.map((_, config) => frameDurationMs(config)), want);
});

/** Hexadecimal with n zero bytes wherever it says "n*". */
function packet(s: string): Uint8Array {
  const bytes = s.split(" ").flatMap((word) =>
    word.endsWith("*") ? Array<number>(parseInt(word)).fill(0) : (word.match(/../g) ?? []).map((pair) => parseInt(pair, 16)),
  );
  return Uint8Array.from(bytes);
}

const good: [name: string, packet: string, frames: number, ms: number][] = [
  ["only a TOC: silence", "f8", 1, 20],
  ["code 0", "78 80*", 1, 20],
  ["code 0, longest", "f8 1275*", 1, 20],
  ["code 1, empty", "f9", 2, 40],
  ["code 1", "f9 4*", 2, 40],
  ["code 1, longest", "f9 2550*", 2, 40],
  ["code 1 of 60 ms: 120 ms", "19 4*", 2, 120],
  ["code 2, both empty", "fa 00", 2, 40],
  ["code 2, all in the first", "fa 03 3*", 2, 40],
  ["code 2, all in the second", "fa 00 3*", 2, 40],
  ["code 2, size of two bytes", "fa fc00 252*", 2, 40],
  ["code 2, longest", "fa ffff 2550*", 2, 40],
  ["code 3, one frame", "fb 01 7*", 1, 20],
  ["code 3, equal", "fb 03 9*", 3, 60],
  ["code 3, equal, empty", "fb 03", 3, 60],
  ["code 3, 48 of 2.5 ms", "e3 30 48*", 48, 120],
  ["code 3, equal, padding 0", "fb 43 00 3*", 3, 60],
  ["code 3, equal, padding 2", "fb 43 02 3* 2*", 3, 60],
  ["code 3, equal, padding 254", "fb 43 fe 3* 254*", 3, 60],
  ["code 3, equal, padding 254 of two bytes", "fb 43 ff00 3* 254*", 3, 60],
  ["code 3, equal, padding 509 of three bytes", "fb 43 ffff01 3* 509*", 3, 60],
  ["code 3, nothing but padding", "fb 41 05 5*", 1, 20],
  ["code 3, different", "fb 83 0102 1* 2* 4*", 3, 60],
  ["code 3, different, last empty", "fb 82 03 3*", 2, 40],
  ["code 3, different, one frame", "fb 81 7*", 1, 20],
  ["code 3, different, padded", "fb c2 02 01 1* 1* 2*", 2, 40],
  ["code 3, longest of all", "fb 06 7650*", 6, 120],
];

// With the requirement of RFC 6716 §3.4 that each breaks.
const bad: [name: string, packet: string, breaks: number][] = [
  ["nothing", "", 1],
  ["code 0, 1276 bytes", "f8 1276*", 2],
  ["code 1, 1276 bytes each", "f9 2552*", 2],
  ["code 2, second of 1276 bytes", "fa 00 1276*", 2],
  ["code 3, equal, 1276 bytes each", "fb 02 2552*", 2],
  ["code 3, different, last of 1276 bytes", "fb 82 00 1276*", 2],
  ["code 1, odd", "f9 3*", 3],
  ["code 2, no size", "fa", 4],
  ["code 2, size cut", "fa fc", 4],
  ["code 2, size too large", "fa 04 3*", 4],
  ["code 3, no frames", "fb 00", 5],
  ["code 3, 140 ms", "fb 07 7*", 5],
  ["code 3, 122.5 ms", "e3 31 49*", 5],
  ["code 3, three of 60 ms", "1b 03 3*", 5],
  ["code 3, no count", "fb", 6],
  ["code 3, equal, not divisible", "fb 03 4*", 6],
  ["code 3, no padding length", "fb 41", 6],
  ["code 3, padding length goes on", "fb 41 ff", 6],
  ["code 3, padding too long", "fb 41 03 2*", 6],
  ["code 3, different, no sizes", "fb 83", 7],
  ["code 3, different, sizes too large", "fb 82 04 3*", 7],
];

describe("Opus packets", () => {
  for (const [name, p, frames, durationMs] of good) {
    test(name, () => {
      const { config, stereo, ...info } = parseOpus(packet(p));
      assert.deepEqual(info, { frames, durationMs });
      assert.deepEqual([config, stereo], [packet(p)[0]! >> 3, (packet(p)[0]! & 4) !== 0]);
    });
  }
  for (const [name, p, breaks] of bad) {
    test(`refused: ${name}`, () => {
      assert.throws(() => parseOpus(packet(p)), (e) => e instanceof ProtocolError && e.message.endsWith(`(R${breaks})`));
    });
  }
});
