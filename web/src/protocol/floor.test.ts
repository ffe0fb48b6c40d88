import assert from "node:assert/strict";
import { test } from "node:test";
import { ProtocolError } from "./errors";
import { encodeFloor, type Floor, type FloorVoice, floorGap, floorVoice, parseFloor, type Span } from "./floor";

const span = (from: number, until = Infinity): Span => ({ from, until });
const voice = (name: string, publisher: number, ...spans: Span[]): FloorVoice => ({ name, publisher, spans });

const floors: { name: string; floor: Floor; size: number }[] = [
  { name: "nobody", floor: [], size: 0 },
  { name: "one who is heard", floor: [voice("ada", 7, span(0))], size: 8 },
  { name: "one who is not", floor: [voice("ada", 7)], size: 6 },
  {
    name: "some",
    floor: [voice("ada", Number.MAX_SAFE_INTEGER, span(6, 120), span(606)), voice("hall/ben", 0, span(0, 6), span(6, 12))],
    size: 34,
  },
];

for (const { name, floor, size } of floors) {
  test(`a floor: ${name}`, () => {
    const bytes = encodeFloor(floor);
    assert.equal(bytes.length, size);
    assert.deepEqual(parseFloor(bytes), floor);
    const whole = new Set(floor.map((_, i) => encodeFloor(floor.slice(0, i)).length));
    for (let n = 0; n < size; n++) {
      if (whole.has(n)) assert.ok(parseFloor(bytes.subarray(0, n)).length < floor.length);
      else assert.throws(() => parseFloor(bytes.subarray(0, n)), ProtocolError, `the first ${n} bytes`);
    }
  });
}

const ff = [255, 255, 255, 255, 255, 255, 255, 255];
const wrong: { name: string; bytes: Uint8Array }[] = [
  { name: "too many voices", bytes: encodeFloor(Array.from({ length: 257 }, () => voice("a", 0))) },
  { name: "too many spans", bytes: encodeFloor([voice("a", 0, ...Array.from({ length: 9 }, (_, i) => span(2 * i, 2 * i + 1)))]) },
  { name: "no path", bytes: Uint8Array.of(1, 0xff, 0, 0) },
  { name: "a span behind the end", bytes: Uint8Array.of(1, 97, 0, 2, 0, 0, 1, 1) },
  { name: "beyond all numbers", bytes: Uint8Array.of(1, 97, 0, 1, ...ff, 1) },
  { name: "a length beyond all numbers", bytes: Uint8Array.of(1, 97, 0, 1, 1, 0xc0, 0x1f, 255, 255, 255, 255, 255, 255) },
];

for (const { name, bytes } of wrong) {
  test(`no floor: ${name}`, () => assert.throws(() => parseFloor(bytes), ProtocolError));
}

test("what a floor says of one voice", () => {
  const { floor } = floors[3]!;
  assert.equal(floorVoice(floor, "ada", "1"), undefined, "another publisher's broadcast is another voice");
  const ada = floorVoice(floor, "ada", String(Number.MAX_SAFE_INTEGER))!;
  const gaps: [number, Span][] = [
    [0, span(0, 6)], [6, span(120, 606)], [120, span(120, 606)], [300, span(300, 606)], [606, span(Infinity)],
  ];
  for (const [at, gap] of gaps) assert.deepEqual(floorGap(ada, at), gap, `behind ${at}`);
  assert.deepEqual(floorGap(floorVoice(floor, "hall/ben", "0")!, 3), span(12), "two spans side by side");
});
