import assert from "node:assert/strict";
import { test } from "node:test";
import { type Arrival, during, except, run, say } from "./testing/scene";
import { noStats, type Stats } from "./stats";

const HOUR = 3_600_000;
const FAR = 2 ** 40;

/** Changes what the speaker's clock says from a sequence on, by ms. */
const stepped = (as: Arrival[], from: number, by: number) =>
  as.map((a) => ({ ...a, spoken: a.seq >= from ? a.spoken + by : a.spoken }));

/** Changes the sequences from one on. */
const renumbered = (as: Arrival[], from: number, to: number) =>
  as.map((a) => ({ ...a, seq: a.seq >= from ? a.seq + to - from : a.seq }));

const hundred = say(0, 100);

// Clocks and sequences that do not simply go on.
const cases: { name: string; arrivals: Arrival[]; want: string; stats: Partial<Stats> }[] = [
  {
    name: "the clock steps back by an hour", arrivals: stepped(hundred.sent(), 50, -HOUR),
    want: "10. 100P 4S 37.", stats: { last: 99, expected: 100, played: 100 },
  },
  {
    name: "the clock steps back by half a century", arrivals: stepped(hundred.sent(), 50, -50 * 365 * 24 * HOUR),
    want: "10. 100P 4S 37.", stats: { last: 99, expected: 100, played: 100 },
  },
  {
    name: "the clock steps ahead by an hour", arrivals: stepped(hundred.sent(), 50, HOUR),
    want: "10. 100P 4S 37.", stats: { last: 99, expected: 100, played: 100 },
  },
  {
    name: "it steps with frames under way that are from before",
    arrivals: stepped(hundred.sent(except({ 48: 60, 49: 60 })), 50, -HOUR),
    want: "10. 100P 4S 37.", stats: { last: 99, expected: 100, played: 100 },
  },
  {
    // Two seconds' pause, and the clock does not know of it. The first second of
    // frames, later than any delay allows, is lost.
    name: "the clock stands still for two seconds",
    arrivals: say(0, 150).sent((seq) => (seq < 50 ? 0 : 2000)),
    want: "10. 50P 4S 146. 41P", stats: { last: 140, expected: 141, played: 91, lost: 50, late: 50 },
  },
  {
    // Frames 50 to 124 come at once, up to 1.5 s late. The oldest are worth no
    // silence; the delay has grown to its most, a second.
    name: "an outage longer than the longest delay", arrivals: say(0, 200).sent(during(1000, 2500)),
    want: "10. 50P 4S 61. 125P 1S", stats: { last: 199, expected: 200, played: 175, lost: 25, late: 25 },
  },
  {
    name: "the speaker begins again from 0 after two seconds",
    arrivals: [...hundred.sent(), ...say(0, 50, 4000).sent()],
    want: "10. 100P 4S 96. 1L 40P", stats: { last: 40, expected: 141, played: 140, lost: 1, refused: 1 },
  },
  {
    name: "the sequence jumps by a trillion", arrivals: renumbered(hundred.sent(), 50, FAR),
    want: "10. 50P 4S 19. 1L 26P 4S 37.",
    stats: { last: FAR + 49, expected: FAR + 50, played: 76, lost: FAR - 26, refused: 24 },
  },
  {
    name: "a single sequence of a trillion",
    arrivals: [...hundred.sent(), { at: 1010, seq: FAR, spoken: 1010 }],
    want: "10. 100P 4S 37.", stats: { last: 99, expected: 100, played: 100, refused: 1 },
  },
  {
    name: "a copy of what was said a minute ago, frame by frame",
    arrivals: [...renumbered(hundred.sent(), 0, 3000), ...hundred.sent(() => 300)],
    want: "10. 100P 4S 37.", stats: { first: 3000, last: 3099, expected: 100, played: 100, refused: 100 },
  },
];

for (const c of cases) {
  test(`steps: ${c.name}`, () => {
    const until = c.arrivals.at(-1)!.at > 3000 ? 5000 : 3000;
    const got = run({ talk: hundred, arrivals: c.arrivals, until });
    assert.equal(got.transcript, c.want);
    assert.deepEqual(got.buffer.stats, { ...noStats(), ...c.stats });
  });
}
