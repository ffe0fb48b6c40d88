import assert from "node:assert/strict";
import { test } from "node:test";
import { Arrivals } from "./arrivals";
import { hostOf } from "./candidate";
import { FRAME, TICK } from "./event";
import type { Effect, Event, Session } from "./event";
import { dial } from "./link";
import { Machine } from "./machine";
import { State } from "./state";
import { announced, arrived, ended, maxTracks, voiceOf } from "./track";

const margins = [
  { name: "nothing came", late: [], rest: 0, want: 30 },
  { name: "in time", late: [0, 0, 0], rest: 0, want: 30 },
  { name: "a little late", late: [0, 20, 5], rest: 0, want: 30 },
  { name: "half as much again", late: [0, 40, 5], rest: 0, want: 60 },
  { name: "never more than a delay of 200 ms can bear", late: [0, 400], rest: 0, want: 120 },
  { name: "the first was late", late: [40, 0, 40], rest: 0, want: 60 },
  { name: "still known after 5 s", late: [0, 40], rest: 6000, want: 60 },
  { name: "forgotten after 10 s", late: [0, 40], rest: 11_000, want: 30 },
];

for (const { name, late, rest, want } of margins) {
  test(`margin: ${name}`, () => {
    const a = new Arrivals();
    late.forEach((by, i) => a.observe(i * 100, 3_600_000 + by, false));
    if (rest > 0) {
      a.observe(late.length * 100 + rest, 3_600_000, false);
    }
    assert.equal(a.margin(), want);
  });
}

const urls: [a: string, b: string, same: boolean][] = [
  ["https://a.example:443/hall", "https://A.example/other?jwt=x", true],
  ["moqt://a.example:4443", "https://a.example:4443/", true],
  ["wss://a.example:4443/hall", "https://a.example:4443/", true],
  ["https://[::1]:4443", "https://[::1]:4443/r", true],
  ["https://a.example:4443", "https://a.example:4444", false],
  ["https://a.example", "https://a.example.evil", false],
  ["https://a.example", "https://a.example@evil", false],
  ["https://evil", "https://a.example\\@evil", false], // browsers end the host there
  ["https://a b.example", "https://a b.example", false],
  ["https:///a.example", "https:///a.example", false],
  ["", "", false],
  ["::", "::", false],
  ["a.example:4443", "a.example:4443", false],
];

for (const [a, b, same] of urls) {
  test(`${a} and ${b} are ${same ? "one relay" : "not one relay"}`, () => {
    assert.equal(hostOf(a) !== undefined && hostOf(a) === hostOf(b), same);
  });
}

test("what is remembered of tracks is bounded, and those that are there stay", () => {
  const m = new State({});
  dial(m, { name: "a", zone: "", url: "https://a", host: "a 443" });
  const [l] = m.links;
  assert.ok(l);
  announced(m, l, 1);
  for (let id = 2; id < 10_000; id++) {
    announced(m, l, id);
    ended(m, l, id);
  }
  assert.ok(m.voices.length <= maxTracks);
  assert.ok(voiceOf(m, 1)?.announced());

  for (let id = 10_000; id < 10_100; id++) {
    announced(m, l, id);
  }
  arrived(m, l, { kind: "arrived", session: 1, track: 20_000, sequence: 0, frames: 3, timestamp: 0 });
  assert.equal(m.voices.length, maxTracks);
  assert.equal(voiceOf(m, 20_000), undefined, "there is no place for another");
});

test("a deadline is never a time that a timer cannot take", () => {
  const m = new Machine();
  m.step(0, { kind: "set-cold", cold: true });
  for (let n = 0; n < 100; n++) {
    const at = m.deadline();
    assert.ok(at === undefined || Number.isFinite(at));
    m.step(at ?? 0);
  }
});

// What client/hop/example_test.go shows: a relay dies without a word after the group
// that came at 1,000 ms.
test("a relay dies", () => {
  const m = new Machine();
  const said: string[] = [];
  const step = (at: number, e?: Event) => said.push(...m.step(at, e).map((effect) => `${at} ${say(effect)}`));
  const group = (at: number, session: Session, sequence: number) =>
    step(at, { kind: "arrived", session, track: 1, sequence, frames: 3, timestamp: sequence * FRAME });

  const candidates = [
    { name: "paris", zone: "fr", url: "https://paris.example:4443" },
    { name: "milan", zone: "it", url: "https://milan.example:4443" },
  ];
  step(0, { kind: "candidates", candidates });
  step(40, { kind: "dialled", session: 1, ticks: true });
  step(45, { kind: "announced", session: 1, track: 1 });
  for (let i = 0; i < 16; i++) {
    const at = 100 + 60 * i;
    const deadline = m.deadline();
    if (deadline !== undefined && deadline < at) {
      step(deadline);
    }
    group(at, 1, 3 * i);
    if (at === 340) {
      step(350, { kind: "dialled", session: 2, ticks: true });
      step(355, { kind: "announced", session: 2, track: 1 });
    }
  }
  step(1090); // overdue
  group(1130, 2, 48); // out of the ring
  for (let i = 0; i < 3; i++) {
    group(1140 + 60 * i, 2, 51 + 3 * i);
  }
  assert.deepEqual(said, [
    "0 dial 1 paris",
    "40 subscribe 1 track 0",
    "45 subscribe 1 track 1",
    "290 dial 2 milan",
    "1090 subscribe 2 track 1 from 48",
    "1260 subscribe 2 track 0",
    "1260 close 1 silence",
    "1260 hopped paris milan silence 40 ms",
  ]);
});

function say(e: Effect): string {
  switch (e.kind) {
    case "dial":
      return `dial ${e.session} ${e.candidate.name}`;
    case "subscribe":
      return `subscribe ${e.session} track ${e.track}` + (e.start === undefined ? "" : ` from ${e.start}`);
    case "hopped":
      return `hopped ${e.from} ${e.to} ${e.cause} ${e.took} ms`;
    case "close":
      return `close ${e.session} ${e.cause}`;
    default:
      return e.kind;
  }
}

/** A machine with a primary and a standby, to which a group has come at 340 ms. */
function listening(): Machine {
  const m = new Machine();
  const candidates = ["a", "b"].map((name) => ({ name, zone: "", url: `https://${name}` }));
  m.step(0, { kind: "candidates", candidates });
  m.step(40, { kind: "dialled", session: 1, ticks: true });
  m.step(45, { kind: "announced", session: 1, track: 1 });
  m.step(290);
  m.step(330, { kind: "dialled", session: 2, ticks: true });
  m.step(335, { kind: "announced", session: 2, track: 1 });
  m.step(340, { kind: "arrived", session: 1, track: 1, sequence: 0, frames: 3, timestamp: 0 });
  assert.ok(m.standby());
  return m;
}

/** How often the standby is subscribed to while nothing but ticks comes. */
function tried(m: Machine, from: number, until: number): number {
  let times = 0;
  for (let now = from; now < until; now += 10) {
    const effects = [...m.step(now), ...(now % 200 === 0 ? m.step(now, { kind: "ticked", session: 1 }) : [])];
    times += effects.filter((e) => e.kind === "subscribe" && e.session === 2).length;
  }
  return times;
}

test("a track that is withheld rests, and goes on by itself", () => {
  assert.ok(tried(listening(), 340, 5000) > 0, "one that falls silent is tried elsewhere");
  const m = listening();
  m.step(340, { kind: "withheld", track: 1 });
  m.step(340, { kind: "withheld", track: 99 }); // of which nothing is known
  m.step(340, { kind: "withheld", track: TICK });
  assert.equal(tried(m, 340, 30_000), 0);
  m.step(30_000, { kind: "arrived", session: 1, track: 1, sequence: 300, frames: 3, timestamp: 30_000 });
  assert.ok(tried(m, 30_010, 31_000) > 0, "it is expected to go on");
});

test("a track that is withheld while the standby is tried is not tried any more", () => {
  const m = listening();
  assert.equal(tried(m, 340, 500), 1);
  const effects = m.step(500, { kind: "withheld", track: 1 });
  assert.deepEqual(effects.map((e) => [e.kind, "session" in e && e.session]), [["unsubscribe", 2]]);
  assert.equal(tried(m, 500, 20_000), 0);
});
