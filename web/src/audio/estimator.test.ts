import assert from "node:assert/strict";
import { test } from "node:test";
import type { BufferConfig } from "./config";
import { Estimator } from "./estimator";
import { exponential, randomNumbers } from "./testing/scene";

/** Shows e n frames from media time from on, each by its transit (ms), and returns the delay after the last. */
function observe(e: Estimator, from: number, n: number, transit: (i: number) => number): number {
  let delay = 0;
  for (let i = 0; i < n; i++) {
    const media = from + i * 20;
    e.observe(media, media + transit(i));
    delay = e.delay(media + transit(i));
  }
  return delay;
}

const loose: BufferConfig = { minDelay: 40, maxDelay: 500 };
const lateOnce = (n: number, late: number) => (i: number) => (i % n === n - 1 ? late : 10);

for (const [name, config, transit, want] of [
  ["no spread, the least delay", loose, () => 10, 40],
  ["any transit without spread", loose, () => 10_000, 40],
  ["default for 20 ms", {}, () => 10, 200],
  ["default for 60 ms", { packetMs: 60 }, () => 10, 200],
  ["default for 120 ms", { packetMs: 120 }, () => 10, 320],
  ["60 ms packets on a short delay", loose, (i: number) => (2 - (i % 3)) * 20, 60],
  ["spread and 20 ms", loose, (i: number) => 10 + (i % 101), 119],
  ["one late frame of 50", loose, lateOnce(50, 310), 320],
  ["one late frame of 200", loose, lateOnce(200, 310), 40],
  ["no more than the longest", loose, (i: number) => (i % 50) * 10, 500],
  ["frames no delay would save", loose, lateOnce(50, 900), 40],
] as [string, BufferConfig, (i: number) => number, number][]) {
  test(`delay: ${name}`, () => assert.equal(observe(new Estimator(config), 0, 600, transit), want));
}

test("the delay grows at once, is kept while it is needed, and shrinks by 5 ms a second", () => {
  const e = new Estimator(loose);
  let now = 0;
  for (const [what, frames, transit, want] of [
    ["calm", 100, 10, 40],
    ["the second of two late frames is beyond the hundredth", 2, 210, 220],
    ["remembered: one in a hundred", 90, 10, 220],
    ["one in two hundred, so it shrinks since the last count", 60, 10, 215.9],
    ["10 s on", 500, 10, 165.9],
    ["as far as it goes", 2000, 10, 40],
    ["and again at once", 10, 200, 210],
  ] as const) {
    const got = observe(e, now, frames, () => transit);
    assert.ok(Math.abs(got - want) < 1e-6, `${what}: ${got}, want ${want}`);
    now += frames * 20;
  }
});

test("a slower path raises the base only when the quicker one is forgotten", () => {
  const e = new Estimator();
  for (const [from, frames, transit, want] of [
    [0, 1000, 30, 30],
    [20_000, 500, 80, 30],
    [30_000, 100, 80, 80],
    [32_000, 1, 50, 50],
    [3_600_000, 1, 750, 750], // after an hour of silence
  ] as const) {
    observe(e, from, frames, () => transit);
    assert.equal(e.base, want, `from ${from}`);
  }
});

for (const c of [
  { name: "none", ppm: 0, within: 0.1, minutes: 3 },
  { name: "slow speaker", ppm: 300, within: 1, minutes: 3 },
  { name: "fast speaker", ppm: -300, within: 1, minutes: 3 },
  { name: "jitter", ppm: 50, jitter: 10, within: 10, minutes: 3 },
  { name: "pauses", ppm: 100, jitter: 5, pause: true, within: 10, minutes: 5 },
  { name: "another path", ppm: 100, jitter: 5, jumpAt: 120_000, within: 10, minutes: 4 },
] as { name: string; ppm: number; within: number; minutes: number; jitter?: number; pause?: boolean; jumpAt?: number }[]) {
  test(`skew: ${c.name}`, () => {
    const random = randomNumbers(1);
    const e = new Estimator();
    for (let i = 0; i < c.minutes * 3000; i++) {
      const media = i * 20;
      if (c.pause && Math.floor(media / 10_000) % 2 === 1) continue;
      const transit = 30 + exponential(random()) * (c.jitter ?? 0) + (c.jumpAt && media > c.jumpAt ? 80 : 0);
      e.observe(media, media * (1 + c.ppm * 1e-6) + transit);
    }
    const got = e.skew * 1e6;
    assert.ok(Math.abs(got - c.ppm) <= c.within, `${got} ppm`);
  });
}
