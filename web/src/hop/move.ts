import { maxMargin } from "./arrivals";
import type { Relay } from "./candidate";
import type { Cause } from "./event";
import { close, use } from "./link";
import type { Link } from "./link";
import { answerWithin, hopWindow, maxHops, spread, standbyAfter, standbySpread } from "./options";
import type { State } from "./state";
import type { Voice } from "./voice";

/**
 * What comes within this time of a session's becoming the primary may be out of a
 * ring, late without fault of the path.
 */
const ringFor = 500;

/** Whether a hop may as well be left out. */
export function voluntary(cause: Cause): boolean {
  return cause === "load" || cause === "better";
}

/**
 * Starts a hop away from the primary, or lets the one that is going on continue:
 * the first cause that forces it stands.
 */
export function begin(m: State, from: Link, cause: Cause, begun: number): void {
  const h = m.hop;
  if (h?.landed) {
    h.landed = false;
  } else if (!h || (voluntary(h.cause) && !voluntary(cause))) {
    m.hop = { cause, from: from.relay.name, begun, left: false, landed: false, want: "", wantUntil: 0 };
  }
}

/** Lets a hop that is going on have a destination, for a while. */
export function head(m: State, want: string, until: number): void {
  if (m.hop) {
    m.hop.want = want;
    m.hop.wantUntil = until;
  }
}

/** Gives up a destination that cannot be had. */
export function unwanted(m: State, relay: Relay): void {
  if (m.hop?.want === relay.name) {
    m.hop.want = "";
  }
}

/** When a hop may be made that could as well be left out. */
export function mayHop(m: State): number {
  const last = m.hops[maxHops - 1];
  return last === undefined ? 0 : last + hopWindow;
}

/** Makes a session the primary and closes the one before. */
export function promote(m: State, l: Link): void {
  use(m, l);
  const old = m.primary;
  if (l === m.standby) {
    m.standby = undefined;
  }
  m.primary = l;
  l.stale = false;
  if (old) {
    close(m, old, m.hop?.cause);
  }
  if (m.hop) {
    m.hop.left = m.hop.landed = true;
    m.hop.want = "";
    m.hops = [m.now, ...m.hops].slice(0, maxHops);
  }
  m.silentSince = undefined;
  m.ringUntil = m.now + ringFor;
  m.pulse.restart(m.now);
  for (const v of m.voices) {
    carryOn(m, l, v);
  }
  postponeStandby(m);
  m.changed = true;
  report(m);
}

/** Expects of the new primary what was expected of the old. */
function carryOn(m: State, l: Link, v: Voice): void {
  const p = v.on(l);
  const was = v.state;
  v.arrivals.restart(m.now);
  v.state = "resting";
  v.recovered = v.trying = false;
  v.retries = 0;
  v.retryAt = Infinity;
  if (p.delivered && m.now - p.at < answerWithin) {
    v.state = "talking";
    v.lastAt = p.at;
    v.overdueAt = Math.max(m.now, p.at + v.packet()) + maxMargin;
  } else if (was !== "resting") {
    v.state = "talking";
    v.lastAt = m.now;
    v.overdueAt = m.now + answerWithin / 2;
  }
}

export function postponeStandby(m: State): void {
  m.standbyAt = m.now + spread(standbyAfter, standbySpread, m.jitter);
}

/** Says that a hop is done once something has come by it. */
export function report(m: State): void {
  const h = m.hop;
  const p = m.primary;
  if (!h?.landed || !p?.answered) {
    return;
  }
  const took = Math.max(0, p.first - h.begun);
  m.emit({ kind: "hopped", session: p.id, from: h.from, to: p.relay.name, cause: h.cause, took });
  m.hop = undefined;
  m.askPause = 0;
}
