import type { Relay } from "./candidate";
import { TICK } from "./event";
import type { Cause, Session } from "./event";
import { dialTimeout, tickAfter } from "./options";
import type { State } from "./state";
import type { Voice } from "./voice";

/**
 * How many sessions and attempts there are at most: a primary, a standby, two
 * attempts, and one on its way out of either role.
 */
export const maxLinks = 5;

/** A session, or an attempt at one. */
export class Link {
  up = false;
  /** Its relay sends ticks. */
  ticks = false;
  /** It is from before the network changed. */
  stale = false;
  /** Its relay asked to leave. */
  leaving = false;

  // What is asked of it: inUse means every track and the tick, tried at least one
  // track.
  inUse = false;
  usedAt = 0;
  tried = false;

  /** When anything last came, and whether it was a tick. */
  heard = 0;
  heardTick = false;
  /** Something came since it was tried, for the first time at `first`. */
  answered = false;
  first = 0;

  constructor(
    /** Its place in State.links. */
    readonly slot: number,
    readonly id: Session,
    readonly relay: Relay,
    /** When it was dialled, or came up. */
    public since: number,
  ) {}
}

/** The link of a session that still counts. */
export function linkOf(m: State, id: Session): Link | undefined {
  for (const l of m.links) {
    if (l?.id === id) {
      return l;
    }
  }
  return undefined;
}

/** Begins an attempt, if there is a place for it. */
export function dial(m: State, relay: Relay): void {
  const slot = m.links.indexOf(undefined);
  if (slot < 0) {
    return;
  }
  m.last++;
  m.links[slot] = new Link(slot, m.last, relay, m.now);
  m.emit({ kind: "dial", session: m.last, candidate: relay });
  m.wake(m.now + dialTimeout);
}

/** Ends a session or an attempt. */
export function close(m: State, l: Link, cause: Cause | undefined): void {
  m.emit({ kind: "close", session: l.id, cause });
  m.book.left(l.relay, cause, l.since, m.now);
  free(m, l);
}

/** Forgets a link that has ended. */
export function free(m: State, l: Link): void {
  for (const v of m.voices) {
    v.on(l).reset();
    if (l === m.standby) {
      v.trying = false;
    }
  }
  if (l === m.primary) {
    m.primary = undefined;
  }
  if (l === m.standby) {
    m.standby = undefined;
  }
  m.links[l.slot] = undefined;
  m.changed = true;
}

/** Subscribes to everything the session has. */
export function use(m: State, l: Link): void {
  if (l.inUse) {
    return;
  }
  tryOut(l);
  l.inUse = true;
  l.usedAt = m.now;
  m.emit({ kind: "subscribe", session: l.id, track: TICK, start: undefined });
  for (const v of m.voices) {
    if (v.on(l).announced) {
      subscribe(m, l, v);
    }
  }
}

/** Ends all subscriptions. */
export function rest(m: State, l: Link): void {
  if (l.inUse) {
    m.emit({ kind: "unsubscribe", session: l.id, track: TICK });
  }
  for (const v of m.voices) {
    unsubscribe(m, l, v);
  }
  l.inUse = l.tried = l.answered = false;
}

/** Ends what was subscribed to beyond the trials of single tracks. */
export function relax(m: State, l: Link): void {
  if (l.inUse) {
    l.inUse = false;
    m.emit({ kind: "unsubscribe", session: l.id, track: TICK });
  }
  let left = false;
  for (const v of m.voices) {
    if (l !== m.standby || v.state !== "alarmed" || !v.trying) {
      unsubscribe(m, l, v);
    }
    left ||= v.on(l).subscribed;
  }
  if (!left) {
    l.tried = l.answered = false;
  }
}

/** Relaxes each session but the primary. */
export function relaxOthers(m: State): void {
  for (const l of m.links) {
    if (l?.up && l !== m.primary) {
      relax(m, l);
    }
  }
}

export function subscribe(m: State, l: Link, v: Voice): void {
  const p = v.on(l);
  if (p.subscribed) {
    return;
  }
  tryOut(l);
  p.subscribed = true;
  p.delivered = false;
  p.next = v.next;
  m.emit({ kind: "subscribe", session: l.id, track: v.id, start: v.any ? v.next : undefined });
}

function unsubscribe(m: State, l: Link, v: Voice): void {
  const p = v.on(l);
  if (p.subscribed) {
    p.subscribed = false;
    m.emit({ kind: "unsubscribe", session: l.id, track: v.id });
  }
}

function tryOut(l: Link): void {
  if (!l.tried) {
    l.tried = true;
    l.answered = false;
  }
}

/** Notes that something came over a session. */
export function hear(m: State, l: Link, isTick: boolean): void {
  if (l === m.primary && isTick && l.answered) {
    m.pulse.observe(m.now, m.now - l.heard - tickAfter, false);
  }
  l.heard = m.now;
  l.heardTick = isTick;
  if (l.tried && !l.answered) {
    l.answered = true;
    l.first = m.now;
    m.changed = true;
  }
  if (m.silentSince !== undefined || m.hop) {
    m.changed = true;
  }
}
