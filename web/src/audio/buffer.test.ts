import assert from "node:assert/strict";
import { test } from "node:test";
import type { BufferConfig } from "./config";
import { type Arrival, during, except, run, say, type Talk } from "./testing/scene";
import { noStats, type Stats } from "./stats";

interface Case {
  name: string;
  config?: BufferConfig;
  talk?: Talk;
  arrivals: (talk: Talk) => Arrival[];
  roundTrip?: number;
  nobody?: boolean; // has what is fetched
  want: string;
  stats: Partial<Stats>;
  fetched?: number[];
}

const fifty = () => say(0, 50);
const pausing = () => say(0, 12).say(12, 12, 1240);
const lost = (...seqs: number[]) => except(Object.fromEntries(seqs.map((seq) => [seq, -1])));
const without = (gone: number) => (bundle: number) => (bundle === gone ? -1 : 0);

// Frames are spoken every 20 ms from 0 on, and the delay is 200 ms, so frame n
// sounds in block 10+n when all goes well. Expected is first to last.
const cases: Case[] = [
  { name: "all in time", arrivals: (t) => t.sent(), want: "10. 50P 1E", stats: { last: 49, played: 50 } },
  {
    name: "the transit does not matter, its spread does",
    arrivals: (t) => t.sent(() => 5000), want: "260. 50P 1E", stats: { last: 49, played: 50 },
  },
  {
    name: "spread within the delay",
    arrivals: (t) => t.sent((seq) => (seq * 37) % 160), want: "10. 50P 1E", stats: { last: 49, played: 50 },
  },
  {
    name: "in reverse order by fives",
    arrivals: (t) => t.sent((seq) => (8 - 2 * (seq % 5)) * 20), want: "10. 50P 1E", stats: { last: 49, played: 50 },
  },
  {
    name: "twice, from two sources",
    arrivals: (t) => [...t.sent(), ...t.sent(() => 30)],
    want: "10. 50P 1E", stats: { last: 49, played: 50, duplicate: 50 },
  },
  {
    name: "half from one source, half from the other, with a common stretch",
    arrivals: (t) => [...t.sent((seq) => (seq < 30 ? 0 : -1)), ...t.sent((seq) => (seq > 20 ? 45 : -1))],
    want: "10. 50P 1E", stats: { last: 49, played: 50, duplicate: 9 },
  },
  {
    name: "one lost, nobody fetches",
    arrivals: (t) => t.sent(lost(20)), want: "10. 20P 1L 29P 1E", stats: { last: 49, played: 49, lost: 1, concealed: 1 },
  },
  {
    name: "seven lost in a row, nobody fetches", // four guessed
    arrivals: (t) => t.sent(lost(20, 21, 22, 23, 24, 25, 26)),
    want: "10. 20P 7L 23P 1E", stats: { last: 49, played: 43, lost: 7, concealed: 4 },
  },
  {
    name: "one lost, fetched once", roundTrip: 40,
    arrivals: (t) => t.sent(lost(20)),
    want: "10. 20P 1R 29P 1E", stats: { last: 49, played: 50, repaired: 1 }, fetched: [20],
  },
  {
    name: "one lost, the round trip too long to fetch", roundTrip: 200,
    arrivals: (t) => t.sent(lost(20)),
    want: "10. 20P 1L 29P 1E", stats: { last: 49, played: 49, lost: 1, concealed: 1 },
  },
  {
    // Asked for at 440 ms and 60 ms later; another 60 ms would be too late.
    name: "one lost, nobody has it", roundTrip: 40, nobody: true,
    arrivals: (t) => t.sent(lost(20)),
    want: "10. 20P 1L 29P 1E", stats: { last: 49, played: 49, lost: 1, concealed: 1 }, fetched: [20, 20],
  },
  {
    name: "overtaken by two frames, not fetched", roundTrip: 40, config: { reorder: 50 },
    arrivals: (t) => t.sent(except({ 20: 45 })), want: "10. 50P 1E", stats: { last: 49, played: 50 },
  },
  {
    name: "one comes after its time",
    arrivals: (t) => t.sent(except({ 20: 230 })),
    want: "10. 20P 1L 29P 1E", stats: { last: 49, played: 49, lost: 1, concealed: 1, late: 1 },
  },
  {
    name: "late and once more",
    arrivals: (t) => [...t.sent(except({ 20: 230 })), { at: 700, seq: 20, spoken: 400 }],
    want: "10. 20P 1L 29P 1E", stats: { last: 49, played: 49, lost: 1, concealed: 1, late: 1, duplicate: 1 },
  },
  {
    // Nothing is lost: speech goes on after 420 ms of waiting, which is what the
    // outage took beyond the delay, and one block more because the delay grows to
    // the 600 ms just seen and 20 ms.
    name: "an outage of 600 ms and all at once", talk: say(0, 100),
    arrivals: (t) => t.sent(during(400, 1000)), want: "10. 20P 4S 17. 80P 1E", stats: { last: 99, played: 100, stalled: 21 },
  },
  {
    // The five whose time is over when that shows take no more of it; four were
    // guessed meanwhile. The next ten are lost in their time.
    name: "an outage of 300 ms and nothing of it",
    arrivals: (t) => t.sent((seq) => (seq >= 20 && seq < 35 ? -1 : 0)),
    want: "10. 20P 4S 1. 10L 15P 1E", stats: { last: 49, played: 35, lost: 15, concealed: 4 },
  },
  {
    // A short one is concealed, and no silence is added.
    name: "an outage of 260 ms and all at once",
    arrivals: (t) => t.sent(during(400, 660)), want: "10. 20P 3S 30P 1E", stats: { last: 49, played: 50, stalled: 3 },
  },
  {
    // The default delay is there for this one: a relay dies at 400 ms, the last
    // packet of 60 ms came at 340, the standby's ring answers 130 ms after that
    // with what was missed.
    name: "a hop", talk: say(0, 60), config: { packetMs: 60 },
    arrivals: (t) => t.bundled(3).map((a) => ({ ...a, at: a.at > 340 && a.at < 470 ? 470 : a.at })),
    want: "10. 60P 1E", stats: { last: 59, played: 60 },
  },
  {
    name: "packets of 60 ms", talk: say(0, 60), config: { packetMs: 60 },
    arrivals: (t) => t.bundled(3), want: "10. 60P 1E", stats: { last: 59, played: 60 },
  },
  {
    name: "packets of 120 ms", talk: say(0, 60), config: { packetMs: 120 },
    arrivals: (t) => t.bundled(6), want: "16. 60P 1E", stats: { last: 59, played: 60 },
  },
  {
    name: "a packet of 60 ms lost and fetched", talk: say(0, 60), config: { packetMs: 60 }, roundTrip: 40,
    arrivals: (t) => t.bundled(3, without(5)),
    want: "10. 15P 3R 42P 1E", stats: { last: 59, played: 60, repaired: 3 }, fetched: [15, 16, 17],
  },
  {
    name: "a packet of 120 ms lost and fetched", talk: say(0, 60), config: { packetMs: 120 }, roundTrip: 40,
    arrivals: (t) => t.bundled(6, without(5)),
    want: "16. 30P 6R 24P 1E", stats: { last: 59, played: 60, repaired: 6 }, fetched: [30, 31, 32, 33, 34, 35],
  },
  {
    name: "the speaker pauses for a second", talk: pausing(),
    arrivals: (t) => t.sent(),
    // Until the next frame comes, nobody knows that it is a pause.
    want: "10. 12P 4S 46. 12P 1E", stats: { last: 23, played: 24 },
  },
  {
    name: "a short pause, known in time", talk: say(0, 12).say(12, 12, 340),
    arrivals: (t) => t.sent(), want: "10. 12P 5. 12P 1E", stats: { last: 23, played: 24 },
  },
  {
    // The frames lost may belong before or after the pause, and there is time for
    // them until the latter is certain.
    name: "the first frames after a pause lost and fetched", roundTrip: 40, talk: pausing(),
    arrivals: (t) => t.sent(lost(12, 13, 14)),
    want: "10. 12P 4S 46. 3R 9P 1E", stats: { last: 23, played: 24, repaired: 3 }, fetched: [12, 13, 14],
  },
  {
    name: "the first frames after a pause lost for good", talk: pausing(),
    arrivals: (t) => t.sent(lost(12, 13, 14)),
    want: "10. 12P 4S 46. 3L 9P 1E", stats: { last: 23, played: 21, lost: 3 },
  },
  {
    name: "the last frames lost and fetched", roundTrip: 40,
    arrivals: (t) => t.sent(lost(48, 49)),
    want: "10. 48P 2R 1E", stats: { last: 49, played: 50, repaired: 2 }, fetched: [48, 49],
  },
  {
    name: "the last frames lost for good",
    arrivals: (t) => t.sent(lost(48, 49)), want: "10. 48P 2L 1E", stats: { last: 49, played: 48, lost: 2, concealed: 2 },
  },
];

for (const c of cases) {
  test(`buffer: ${c.name}`, () => {
    const talk = c.talk ?? fifty();
    const got = run({
      talk: c.nobody ? say(0, 0) : talk,
      arrivals: c.arrivals(talk),
      roundTrip: c.roundTrip ?? 0,
      end: c.stats.last! + 1,
      until: 10_000,
      ...(c.config && { config: c.config }),
    });
    assert.equal(got.transcript, c.want);
    assert.deepEqual(got.buffer.stats, { ...noStats(), expected: c.stats.last! + 1, ...c.stats });
    assert.deepEqual(got.fetched, c.fetched ?? []);
    assert.ok(got.buffer.done);
  });
}
