import assert from "node:assert/strict";
import { test } from "node:test";
import { Caller, Gauge } from "./gauge";

const pair = () => {
  const memory = new SharedArrayBuffer(Gauge.BYTES);
  return { thread: new Gauge(memory), page: new Gauge(memory) };
};

test("the page reads what the audio thread has counted, and the other way round", () => {
  const { thread, page } = pair();
  assert.deepEqual(page.read(), { played: 0, missed: 0, underruns: 0, sounded: -1 });
  page.low = 3360;
  assert.equal(thread.low, 3360);
  for (const counts of [
    { played: 128, missed: 0, underruns: 0, sounded: -1 },
    { played: 128, missed: 128, underruns: 1, sounded: 0 },
    { played: 1_000_000, missed: 640, underruns: 3, sounded: 0 },
  ]) {
    thread.publish(counts);
    assert.deepEqual(page.read(), counts);
    assert.deepEqual(page.read(), counts, "looking counts nothing");
  }
});

test("the counters go on beyond 2^32 samples: a day", () => {
  const { thread, page } = pair();
  const step = 3_000_000_000;
  for (let played = step; played < 20 * step; played += step) {
    thread.publish({ played, missed: 5, underruns: 1, sounded: played });
    const { sounded, ...read } = page.read();
    assert.deepEqual(read, { played, missed: 5, underruns: 1 });
    assert.ok(sounded > 0, "it is known that something was heard");
  }
});

test("the page is called once each time that little is left", () => {
  const caller = new Caller();
  const calls = [500, 480, 479, 300, 0, 0, 480, 100, 900, 479].map((queued) => caller.due(queued, 480));
  assert.deepEqual(calls, [false, false, true, false, false, false, false, true, false, true]);
});
