import { hostOf, same } from "./candidate";
import type { Goaway } from "./event";
import { close, free } from "./link";
import type { Link } from "./link";
import { begin, head, mayHop, postponeStandby, unwanted } from "./move";
import { betterFor, dialTimeout, redirectWithin, settledFor } from "./options";
import type { State } from "./state";

/** Notes that a relay asks to leave. Only a URI of a candidate is followed. */
export function goaway(m: State, l: Link, e: Goaway): void {
  const cause = e.cause === "load" ? "load" : "drain";
  m.book.askedToLeave(l.relay, cause, m.now);
  m.changed = true;
  if (l !== m.primary) {
    if (l === m.standby) {
      postponeStandby(m);
    }
    close(m, l, cause);
    return;
  }
  l.leaving = true;
  begin(m, l, cause, m.now);
  const within = e.within > 0 ? Math.min(redirectWithin, e.within / 2) : redirectWithin;
  for (const uri of e.uris) {
    const to = m.book.at(hostOf(uri));
    const open = to && to.retryAt <= m.now && (cause === "drain" || to.avoid <= m.now);
    if (open && !same(to.relay, l.relay)) {
      head(m, to.relay.name, m.now + within);
      return;
    }
  }
}

/** Notes that a session has ended. */
export function closed(m: State, l: Link): void {
  m.book.left(l.relay, "closed", l.since, m.now);
  if (l === m.primary) {
    begin(m, l, "closed", m.now);
  }
  if (l === m.standby) {
    postponeStandby(m);
  }
  unwanted(m, l.relay);
  free(m, l);
}

/**
 * Gives up a session whose relay is said to be gone. What comes over a session
 * proves more than what others say, so one that is listened to stays while anything
 * comes, and the primary until it fails.
 */
export function gone(m: State, l: Link): void {
  if (l === m.primary || l.answered) {
    return;
  }
  if (l === m.standby) {
    postponeStandby(m);
  }
  unwanted(m, l.relay);
  close(m, l, "silence");
}

/**
 * Takes all sessions for lost, though none is given up before another is there.
 */
export function networkChanged(m: State): void {
  for (const l of m.links) {
    if (!l) {
      continue;
    }
    l.stale = true;
    if (!l.up) {
      m.emit({ kind: "close", session: l.id, cause: undefined });
      free(m, l);
    }
  }
  m.book.forgive();
  m.askAt = m.now;
  m.askPause = 0;
  if (m.primary) {
    begin(m, m.primary, "network", m.now);
  }
  m.changed = true;
}

/** Notes that another relay would be better, or that none would. */
export function outdone(m: State, name: string): void {
  if (name !== m.better) {
    m.better = name;
    m.betterSince = m.now;
  }
  m.changed = true;
}

/**
 * Hops for the better when that has been so for a while and nothing else goes on.
 */
export function consider(m: State): void {
  const p = m.primary;
  if (m.better === "" || !p || m.hop || m.silentSince !== undefined) {
    return;
  }
  const to = m.book.named(m.better);
  if (!to || same(to.relay, p.relay)) {
    return;
  }
  const settled = m.hops[0] === undefined ? 0 : m.hops[0] + settledFor;
  const at = Math.max(m.betterSince + betterFor, mayHop(m), to.retryAt, to.avoid, settled);
  if (m.now < at) {
    m.wake(at);
    return;
  }
  begin(m, p, "better", m.now);
  head(m, m.better, m.now + dialTimeout);
  m.betterSince = m.now;
}
