import { FRAME, TICK } from "./event";
import type { Arrived, Track } from "./event";
import { hear, subscribe } from "./link";
import type { Link } from "./link";
import { uneasy } from "./silence";
import type { State } from "./state";
import { Voice } from "./voice";

/**
 * Bounds what is remembered. Of more, those that no session has go first; if all
 * are there, further ones are not followed.
 */
export const maxTracks = 64;

export function voiceOf(m: State, id: Track): Voice | undefined {
  for (const v of m.voices) {
    if (v.id === id) {
      return v;
    }
  }
  return undefined;
}

/** The voice of that number, which may be a new one. */
function known(m: State, id: Track): Voice | undefined {
  const old = voiceOf(m, id);
  if (old || id === TICK) {
    return old;
  }
  const place = m.voices.length < maxTracks ? m.voices.length : m.voices.findIndex((v) => !v.announced());
  return place < 0 ? undefined : (m.voices[place] = new Voice(id));
}

/** Takes a group. */
export function arrived(m: State, l: Link, e: Arrived): void {
  const v = known(m, e.track);
  if (!v || e.frames < 1) {
    return;
  }
  hear(m, l, false);
  if (v.state === "alarmed") {
    m.changed = true;
  }
  const p = v.on(l);
  const next = e.sequence + e.frames;
  let before = p.next;
  if (!p.delivered) {
    p.delivered = true;
    p.first = m.now;
    before = Math.min(before, e.sequence);
  } else if (next <= p.next) {
    return; // older than what came before it
  }
  p.at = m.now;
  p.next = Math.max(p.next, next);
  if (l === m.primary && next > before) {
    expect(m, v, e, before);
  }
  if (!v.any || next > v.next) {
    v.any = true;
    v.next = next;
  }
}

/**
 * Notes a new group from the primary and when the one after it is due; before is
 * the frame that was expected.
 */
function expect(m: State, v: Voice, e: Arrived, before: number): void {
  v.frames = e.frames;
  const length = v.packet();
  const gap = e.timestamp - v.end;
  v.end = e.timestamp + length;
  const late = v.arrivals.observe(m.now, m.now - v.end, m.now < m.ringUntil);
  if (v.state === "alarmed" && !v.recovered) {
    v.recovered = true;
    v.holeEnd = 0;
    if (e.sequence > before) {
      v.holeEnd = e.sequence;
    } else if (gap < FRAME / 2) {
      m.wolf.cry(m.now); // no pause: it was late
    }
  }
  if (v.state === "resting") {
    v.state = "talking";
    v.retries = 0;
  }
  v.lastAt = m.now;
  v.overdueAt = m.now + v.overdueIn(late);
  v.expectedAt = m.now + length - late;
  if (uneasy(m)) {
    m.wake(v.overdueAt);
  }
}

/** Notes that a session has a track. */
export function announced(m: State, l: Link, id: Track): void {
  const v = known(m, id);
  if (!v) {
    return;
  }
  v.on(l).announced = true;
  if (l.inUse) {
    subscribe(m, l, v);
  }
  m.changed = true;
}

/** Notes that a session has a track no more; the subscription ends with it. */
export function ended(m: State, l: Link, id: Track): void {
  const v = voiceOf(m, id);
  if (v) {
    const p = v.on(l);
    p.reset(p.next);
    m.changed = true;
  }
}
