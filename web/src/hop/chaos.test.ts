import assert from "node:assert/strict";
import { test } from "node:test";
import { TICK } from "./event";
import type { Effect, Event, Session, Track } from "./event";
import { maxLinks } from "./link";
import { Machine } from "./machine";
import { tickAfter } from "./options";
import { Pair } from "./pair";
import { check } from "./random.test";
import type { Random } from "./random.test";
import type { Stepper } from "./table.test";

/** How many random histories a property is tried with. */
const histories = 400;

interface Entry {
  readonly relay: string;
  up: boolean; // or still an attempt
  readonly tracks: Set<Track>;
  readonly wants: Set<Track>;
}

/** Checks that effects make sense whatever the machine is told. */
class Ledger {
  readonly sessions = new Map<Session, Entry>();
  last: Session = 0;

  check(e: Effect): void {
    if (e.kind === "ask-lobby") {
      return;
    }
    if (e.kind === "dial") {
      assert.ok(e.session > this.last, `session ${e.session} is not new`);
      this.last = e.session;
      this.sessions.set(e.session, { relay: e.candidate.name, up: false, tracks: new Set([TICK]), wants: new Set() });
      assert.ok(this.sessions.size <= maxLinks, `${this.sessions.size} sessions`);
      return;
    }
    const s = this.sessions.get(e.session);
    assert.ok(s, `${e.kind} of session ${e.session}, which is none`);
    if (e.kind === "close") {
      this.sessions.delete(e.session);
      return;
    }
    assert.ok(s.up, `${e.kind} of session ${e.session}, which is not up`);
    switch (e.kind) {
      case "subscribe":
        assert.ok(s.tracks.has(e.track) && !s.wants.has(e.track), `${e.session} to track ${e.track}`);
        s.wants.add(e.track);
        return;
      case "unsubscribe":
        assert.ok(s.wants.delete(e.track), `${e.session} of track ${e.track}`);
        return;
      case "hopped":
        assert.ok(e.took >= 0 && e.from !== "");
    }
  }

  /** What an event means for what may be asked. */
  note(e: Event): void {
    const s = "session" in e ? this.sessions.get(e.session) : undefined;
    if (!s || !("session" in e)) {
      return;
    }
    if (e.kind === "dialled") {
      s.up = true;
    } else if (e.kind === "closed" || (e.kind === "dial-failed" && !s.up)) {
      this.sessions.delete(e.session);
    } else if (e.kind === "announced" && s.up) {
      s.tracks.add(e.track);
    } else if (e.kind === "ended" && s.up && e.track !== TICK) {
      s.tracks.delete(e.track);
      s.wants.delete(e.track);
    }
  }

  step(m: Stepper, now: number, e: Event): void {
    this.note(e);
    for (const effect of m.step(now, e)) {
      this.check(effect);
    }
  }

  /** Steps a machine at its deadlines until a time. */
  catchUp(m: Stepper, now: number, most: number): void {
    for (let n = 0, at = m.deadline(); at !== undefined && at <= now; n++, at = m.deadline()) {
      assert.ok(n < most, `the machine wants to be stepped for ever, now at ${at}`);
      this.step(m, at, { kind: "now" });
    }
  }
}

const url = (name: string) => `https://${name}.example`;

/** Anything that may happen, and much that should not. */
function draw(r: Random, l: Ledger): Event {
  const session = r.of([0, l.last, l.last + 7, ...l.sessions.keys()]);
  const track = r.between(-1, 3);
  const name = () => r.of(["", "a", "b", "c", "d", "e"]);
  switch (r.between(0, 13)) {
    case 0:
      return { kind: "now" };
    case 1: {
      const names = Array.from({ length: r.between(0, 6) }, name);
      return { kind: "candidates", candidates: names.map((n) => ({ name: n, zone: n, url: url(n) })) };
    }
    case 2:
      return { kind: "dialled", session, ticks: r.coin() };
    case 3:
      return { kind: "dial-failed", session, final: r.coin() };
    case 4:
      return { kind: "closed", session };
    case 5:
      return { kind: "announced", session, track };
    case 6:
      return { kind: "ended", session, track };
    case 7:
      return { kind: "ticked", session };
    case 8: {
      const uris = ["", "::", url(name())];
      return { kind: "goaway", session, cause: r.of(["drain", "load"]), uris, within: r.between(0, 9) * 1000 };
    }
    case 9:
      return { kind: "network-changed" };
    case 10:
      return { kind: "better", name: name() };
    case 11:
      return { kind: "set-cold", cold: r.coin() };
    case 12:
      return { kind: "gone", session };
    default: {
      const timestamp = r.between(-1e6, 1e6);
      const frames = r.of([-1, 0, 1, 3, 6]);
      return { kind: "arrived", session, track, sequence: r.between(0, 400), frames, timestamp };
    }
  }
}

function chaos(r: Random, m: Stepper, l: Ledger, look: () => void): number {
  let now = 0;
  for (let events = r.between(0, 120); events > 0; events--) {
    now += r.of([-5, 0, 1, 20, 60, 100, 250, 1000, 20_000]);
    l.catchUp(m, now, 2000);
    look();
    l.step(m, now, draw(r, l));
    look();
  }
  return Math.max(now, 0);
}

/** Six minutes of four good relays. */
function peace(m: Stepper, l: Ledger, now: number): void {
  const candidates = ["a", "b", "c", "d"].map((name) => ({ name, zone: name, url: url(name) }));
  l.step(m, now, { kind: "candidates", candidates });
  for (const end = now + 6 * 60_000; now < end; now += tickAfter) {
    l.catchUp(m, now, 100);
    for (const [session, s] of [...l.sessions]) {
      if (!l.sessions.has(session)) {
        continue;
      }
      if (!s.up) {
        l.step(m, now, { kind: "dialled", session, ticks: true });
      } else if (s.wants.has(TICK)) {
        l.step(m, now, { kind: "ticked", session });
      }
    }
  }
}

test("whatever a machine is told, its effects make sense, and all is well when the world is", () => {
  check(histories, (r) => {
    const m = new Machine({ jitter: r.fraction() });
    const l = new Ledger();
    const now = chaos(r, m, l, () => {
      const p = m.primary();
      const s = m.standby();
      assert.ok(!p || !s || (p.session !== s.session && p.candidate.name !== s.candidate.name), "primary and standby");
    });
    l.step(m, now, { kind: "set-cold", cold: false });
    l.step(m, now, { kind: "better", name: "" });
    peace(m, l, now);
    assert.ok(m.primary() && m.standby(), "a primary and a standby");
    assert.equal(l.sessions.size, 2);
  });
});

test("the same for a pair: two relays in the end", () => {
  check(histories, (r) => {
    const p = new Pair({ jitter: r.fraction() });
    const l = new Ledger();
    peace(p, l, chaos(r, p, l, () => {}));
    const relays = p.live().map((s) => l.sessions.get(s)?.relay);
    assert.equal(new Set(relays).size, 2);
    assert.equal(l.sessions.size, 2);
  });
});
