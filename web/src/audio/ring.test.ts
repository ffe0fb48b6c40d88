import assert from "node:assert/strict";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { Output } from "./output";
import { Ring } from "./ring";
import { randomNumbers } from "./testing/scene";

const newRing = (samples: number, channels: number, memory: ArrayBufferLike = new ArrayBuffer(Ring.bytes(samples, channels))) =>
  new Ring(memory, channels);

const planes = (n: number, size: number) => Array.from({ length: n }, () => new Float32Array(size));

test("what is written is read, in order, in pieces of any size", () => {
  const random = randomNumbers(3);
  const ring = newRing(64, 2);
  let written = 0;
  let read = 0;
  for (let i = 0; i < 5000; i++) {
    const n = Math.floor(random() * 40);
    written += ring.write(Float32Array.from({ length: 2 * n }, (_, k) => (k % 2 ? -1 : 1) * (written + (k >> 1))));
    const out = planes(2, Math.floor(random() * 40));
    const got = ring.read(out);
    for (let k = 0; k < got; k++, read++) assert.deepEqual([out[0]![k], out[1]![k]], [read, -read]);
    assert.equal(ring.queued, written - read);
  }
  assert.ok(read > 50_000);
});

test("a full ring takes what fits", () => {
  const ring = newRing(8, 1);
  assert.equal(ring.write(new Float32Array(5)), 5);
  assert.equal(ring.write(new Float32Array(5)), 3);
  assert.equal(ring.write(new Float32Array(5)), 0);
  assert.equal(ring.queued, 8);
});

test("positions wrap at 2^32 samples", () => {
  const memory = new ArrayBuffer(Ring.bytes(16, 1));
  new Int32Array(memory).fill(-5, 0, 2); // both counters five before the wrap
  const ring = newRing(16, 1, memory);
  for (let round = 0; round < 4; round++) {
    assert.equal(ring.write(Float32Array.from([1, 2, 3])), 3);
    const out = planes(1, 3);
    assert.equal(ring.read(out), 3);
    assert.deepEqual([...out[0]!], [1, 2, 3]);
  }
});

test("a mono ring fills every side", () => {
  const ring = newRing(8, 1);
  ring.write(Float32Array.from([1, 2]));
  const out = planes(2, 2);
  ring.read(out);
  assert.deepEqual(out.map((p) => [...p]), [[1, 2], [1, 2]]);
});

test("a thread reads what another writes through shared memory", async () => {
  const total = 200_000;
  const memory = new SharedArrayBuffer(Ring.bytes(1024, 1));
  // The writer is the ring's other half, by hand: node cannot load TypeScript into a worker.
  const writer = new Worker(
    `const { workerData: { memory, total } } = require("node:worker_threads");
     const counters = new Int32Array(memory, 0, 2), values = new Float32Array(memory, 8);
     for (let n = 0; n < total; ) {
       if (n - (Atomics.load(counters, 1) >>> 0) >= values.length) continue;
       values[n % values.length] = n % 10007;
       Atomics.store(counters, 0, ++n);
     }`,
    { eval: true, workerData: { memory, total } },
  );
  const ring = newRing(1024, 1, memory);
  const out = planes(1, 128);
  for (let read = 0; read < total; ) {
    const n = ring.read(out);
    for (let k = 0; k < n; k++, read++) assert.equal(out[0]![k], read % 10007);
    if (n === 0) await new Promise(setImmediate);
  }
  await writer.terminate();
});

test("the output counts what it played and missed, exactly", () => {
  const ring = newRing(1024, 1);
  const output = new Output(ring, 1);
  const fill = () => {
    const [out] = planes(1, 128);
    output.fill([out!]);
    return out!;
  };
  fill();
  assert.deepEqual(output.counts, { played: 0, missed: 0, underruns: 0, sounded: -1 }, "before the mix: nothing is missed");
  ring.write(new Float32Array(128)); // silence
  fill();
  ring.write(new Float32Array(200).fill(0.5));
  assert.equal(fill()[0], 0.5, "the first sound needs no ramp");
  const last = fill(); // 72 are left
  assert.deepEqual(output.counts, { played: 328, missed: 56, underruns: 1, sounded: 128 });
  assert.equal(last[71], 0.5);
  assert.ok(last[72]! < 0.5 && last[72]! > 0.45 && last[127]! < 0.05, "dies away");
  assert.ok(Math.max(...fill()) < 0.05);
  assert.equal(fill()[127], 0);
  assert.deepEqual(output.counts, { played: 328, missed: 56 + 256, underruns: 1, sounded: 128 });
  ring.write(new Float32Array(300).fill(0.5));
  const back = fill();
  assert.ok(back[0]! < 0.01 && back[127] === 0.5, "comes up");
  for (let i = 1; i < 128; i++) assert.ok(back[i]! - back[i - 1]! < 0.005);
  fill();
  fill();
  assert.deepEqual(output.counts, { played: 628, missed: 56 + 256 + 84, underruns: 2, sounded: 128 });
});
