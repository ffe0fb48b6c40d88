import assert from "node:assert/strict";
import { test } from "node:test";
import { Lead } from "./lead";
import { Pump } from "./pump";

/** A source that writes down for when it was asked. */
function source() {
  const asked: number[] = [];
  const skipped: number[] = [];
  return {
    asked,
    skipped,
    mix: (now: number) => {
      asked.push(Math.round(now));
      return new Float32Array(960).fill(asked.length);
    },
    skip: (now: number) => {
      skipped.push(now);
    },
  };
}

test("the lead grows by what was missed and shrinks in calm", () => {
  const lead = new Lead();
  for (const [now, missed, want] of [
    [0, 0, 140],
    [1000, 3, 160],
    [1010, 3, 160],
    [2000, 48, 200],
    [2010, 58, 200],
    [2020, 68, 220],
    [61_999, 68, 220],
    [62_020, 68, 200],
    [121_000, 68, 200],
    [122_020, 68, 180],
    [123_000, 5000, 300],
    [1_000_000, 5000, 280],
  ] as const) {
    assert.equal(lead.update(missed, now), want, `at ${now}`);
  }
});

test("the lead of who speaks is shorter, by as much and at once", () => {
  const lead = new Lead();
  lead.update(0, 0);
  lead.atLeast(100);
  assert.equal(lead.update(0, 10), 100);
  assert.equal(lead.update(35, 20), 140, "it grows as well");
  lead.atLeast(140);
  assert.equal(lead.update(35, 30), 180);
  lead.atLeast(100);
  for (let now = 0; now < 600_000; now += 1000) lead.update(35, now);
  assert.equal(lead.value, 100);
});

test("each block is asked for at the moment at which it should have been", () => {
  const s = source();
  const pump = new Pump(s, 1, 48_000);
  let queued = 0;
  const run = (now: number) => {
    const blocks = pump.run(queued, 0, now);
    queued += blocks.reduce((sum, b) => sum + b.length, 0);
    return blocks.length;
  };
  assert.equal(run(1000), 7);
  assert.deepEqual(s.asked.splice(0), [860, 880, 900, 920, 940, 960, 980]);
  assert.equal(run(1005), 0);
  queued -= 960; // 20 ms later, as often as that
  assert.equal(run(1020), 1);
  assert.deepEqual(s.asked.splice(0), [1000]);
  queued -= 3 * 960; // with the next packet of 60 ms
  assert.equal(run(1080), 3);
  assert.deepEqual(s.asked.splice(0), [1020, 1040, 1060]);
  queued -= 1536; // as sound cards take it
  assert.equal(run(1112), 2);
  assert.deepEqual(s.asked.splice(0), [1080, 1100]);
});

test("who is awake anyway may call as often as they like, and while nobody takes samples", () => {
  const s = source();
  const pump = new Pump(s, 1, 48_000);
  assert.equal(pump.run(0, 0, 0).length, 7);
  for (let now = 0; now < 400; now += 20) assert.deepEqual(pump.run(6720, 0, now), []);
  pump.idle(499);
  assert.deepEqual(s.skipped.splice(0), [0]);
  assert.deepEqual(pump.run(6720, 0, 600), [], "packets go on coming to a page that is locked");
  pump.idle(601);
  assert.deepEqual(s.skipped.splice(0), [601], "so time goes by unheard");
  pump.run(6592, 0, 700);
  assert.deepEqual([s.skipped, pump.skips], [[700], 1]);
});

test("the page is woken for it before the sound card waits", () => {
  const pump = new Pump(source(), 1, 48_000);
  const low = () => pump.low / 48;
  assert.equal(low(), 70);
  pump.lead.atLeast(100);
  assert.equal(low(), 70);
  pump.lead.update(0, 0);
  pump.lead.update(95, 1);
  assert.deepEqual([pump.lead.value, low()], [200, 130]);
  assert.equal(new Pump(source(), 2, 44_100).low, 3087);
});

test("blocks are the caller's to keep", () => {
  const shared = new Float32Array(960);
  let n = 0;
  const pump = new Pump({ mix: () => shared.fill(++n), skip: () => undefined }, 1, 48_000);
  assert.deepEqual(pump.run(0, 0, 0).map((b) => b[0]), [1, 2, 3, 4, 5, 6, 7]);
});

test("after a sleep it skips to live, and the lead stays", () => {
  const s = source();
  const pump = new Pump(s, 1, 48_000);
  pump.run(0, 0, 0);
  pump.run(4000, 0, 20);
  assert.deepEqual(s.skipped.splice(0), [0], "it begins live");
  pump.idle(200);
  assert.deepEqual(s.skipped, []);
  pump.idle(700); // nobody takes samples
  pump.idle(950);
  assert.deepEqual(s.skipped.splice(0), [700, 950]);
  assert.equal(pump.skips, 0);
  pump.run(0, 40_000, 1000);
  assert.deepEqual(s.skipped, [1000]);
  assert.equal(pump.skips, 1);
  assert.equal(pump.lead.value, 140);
  pump.run(0, 90_000, 1001); // the next report from during the sleep
  assert.equal(pump.lead.value, 140);
  pump.run(4000, 90_000, 1300);
  pump.run(4000, 90_048, 1600); // a millisecond missed while awake
  assert.equal(pump.lead.value, 160);
});

test("before the first run, time goes by unheard", () => {
  const s = source();
  new Pump(s, 1, 48_000).idle(5);
  assert.deepEqual(s.skipped, [5]);
});

test("a device of another rate gets as many samples as it takes", () => {
  for (const rate of [16_000, 44_100, 96_000]) {
    const s = source();
    const pump = new Pump(s, 2, rate);
    s.mix = (now) => {
      s.asked.push(now);
      return new Float32Array(1920).fill(1);
    };
    let queued = 0;
    for (let now = 0; now < 10_000; now += 10) {
      for (const block of pump.run(queued, 0, now)) queued += block.length / 2;
      assert.ok((queued / rate) * 1000 >= 140 && (queued / rate) * 1000 <= 161, `${queued}`);
      queued -= rate / 100;
    }
    assert.ok(Math.abs(s.asked.length - 507) <= 2, `${rate}: ${s.asked.length} blocks`);
  }
});
