import assert from "node:assert/strict";
import { test } from "node:test";
import { exponential, randomNumbers, run, say } from "./testing/scene";

// Ten minutes over networks that lose packets at random and jitter, in both
// directions, so that what is asked for may not come either. What stays lost is
// what nobody could miss in time: of two packets of 60 ms lost in a row, the first
// frame of the first is due 160 ms after it should have come, and the loss shows
// after 120. (The hop asks before that, when a packet is overdue.) The seeds are
// fixed, so a run is the same every time.
const FRAMES = 30_000;
for (const { bundle, loss, most } of [
  { bundle: 1, loss: 0.01, most: 0 },
  { bundle: 1, loss: 0.05, most: 12 },
  { bundle: 3, loss: 0.01, most: 9 },
  { bundle: 3, loss: 0.05, most: 80 },
  { bundle: 6, loss: 0.05, most: 80 },
]) {
  test(`loss and repair: packets of ${bundle * 20} ms, ${loss * 100} % lost`, () => {
    const random = randomNumbers(bundle * 100 + loss * 1000);
    const path = () => (random() < loss ? -1 : 20 + 3 * exponential(random()));
    const speech = say(0, FRAMES);
    const arrivals = speech.bundled(bundle, path);
    const { buffer } = run({
      config: { packetMs: bundle * 20 },
      talk: speech,
      arrivals,
      roundTrip: 40,
      answer: () => {
        const there = path();
        const back = path();
        return there < 0 || back < 0 ? -1 : there + back;
      },
      until: 660_000,
      end: FRAMES,
    });
    const { expected, lost, repaired, played } = buffer.stats;
    assert.equal(expected, FRAMES);
    assert.ok(lost <= most, `${lost} lost`);
    assert.ok(FRAMES - arrivals.length > 100, "there was something to repair");
    assert.equal(repaired + lost, FRAMES - arrivals.length);
    assert.equal(played + lost, FRAMES);
  });
}
