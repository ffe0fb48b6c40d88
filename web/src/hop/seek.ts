import { same } from "./candidate";
import type { Relay } from "./candidate";
import type { Pick } from "./book";
import { target } from "./change";
import { dial, free } from "./link";
import type { Link } from "./link";
import { mayHop, promote, unwanted, voluntary } from "./move";
import { dialTimeout, firstAsk, longestAsk, maxDials, pauseUpTo, stagger } from "./options";
import type { State } from "./state";

/** Sees to a session to listen to: the first, or one to hop to. */
export function seek(m: State): void {
  const ready = m.primary ? undefined : readiest(m);
  if (ready) {
    promote(m, ready);
    return;
  }
  giveUpDials(m);
  if (!wanting(m)) {
    return;
  }
  const urgent = !m.primary || m.hop?.cause === "silence";
  if (!mayDial(m, urgent)) {
    return;
  }
  const { entry, again } = destination(m);
  if (entry) {
    dial(m, entry.relay);
    if (urgent) {
      m.wake(m.now + stagger);
    }
  } else if (!m.primary || m.hop?.cause !== "better") {
    m.wake(again);
    ask(m);
  }
}

/** Whether a session is wanted that nobody has dialled yet. */
function wanting(m: State): boolean {
  const h = m.hop;
  if (!m.primary) {
    return true;
  }
  if (!h || h.landed) {
    return false;
  }
  return h.cause === "silence" || !((h.cause === "load" && m.now < mayHop(m)) || target(m, h));
}

/** The session to listen to when there is no primary any more. */
function readiest(m: State): Link | undefined {
  let best = m.standby;
  for (const l of m.links) {
    if (l?.up && (!best || (l.answered && !best.answered))) {
      best = l;
    }
  }
  return best;
}

/** Whether another attempt may be made beside those under way. */
export function mayDial(m: State, urgent: boolean): boolean {
  let attempts = 0;
  let newest = -stagger;
  for (const l of m.links) {
    if (!l || l === m.primary || l === m.standby) {
      continue;
    }
    if (!l.up) {
      attempts++;
      newest = Math.max(newest, l.since);
    } else if (l.inUse && !l.answered) {
      newest = Math.max(newest, l.usedAt); // it is up, and may yet prove to be dead
    }
  }
  if (!m.links.includes(undefined) || attempts >= maxDials || (attempts > 0 && !urgent)) {
    return false;
  }
  m.wake(newest + stagger);
  return m.now >= newest + stagger;
}

/** Ends attempts that take too long. */
function giveUpDials(m: State): void {
  for (const l of m.links) {
    if (!l || l.up) {
      continue;
    }
    if (m.now < l.since + dialTimeout) {
      m.wake(l.since + dialTimeout);
      continue;
    }
    m.book.failed(l.relay, false, m.now);
    unwanted(m, l.relay);
    m.emit({ kind: "close", session: l.id, cause: undefined });
    free(m, l);
  }
}

/** The candidate to dial for the hop or the beginning. */
function destination(m: State): Pick {
  const h = m.hop;
  const fits = (relay: Relay) => unused(m, relay);
  if (h && h.want !== "") {
    const entry = m.book.named(h.want);
    if (entry && unused(m, entry.relay) && entry.retryAt <= m.now) {
      return { entry, again: m.now };
    }
  }
  if (!m.primary || !h) {
    return m.book.pick(m.now, true, fits);
  }
  if (h.cause === "better") {
    return { entry: undefined, again: Infinity };
  }
  const found = m.book.pick(m.now, !voluntary(h.cause), fits);
  if (!found.entry && h.cause === "silence") {
    // The relay may have come back while the session to it never will.
    return m.book.pick(m.now, true, (relay) => unused(m, relay, m.primary));
  }
  return found;
}

/**
 * Whether a relay has no session or attempt that still counts, apart from one that
 * may be given.
 */
export function unused(m: State, relay: Relay, but?: Link): boolean {
  for (const l of m.links) {
    if (l && l !== but && !l.stale && same(l.relay, relay)) {
      return false;
    }
  }
  return true;
}

/** Asks the lobby for candidates, less and less often. */
export function ask(m: State): void {
  if (m.now >= m.askAt) {
    m.emit({ kind: "ask-lobby" });
    m.askPause = Math.min(Math.max(2 * m.askPause, firstAsk), longestAsk);
    m.askAt = m.now + pauseUpTo(2 * m.askPause, m.jitter);
  }
  m.wake(m.askAt);
}
