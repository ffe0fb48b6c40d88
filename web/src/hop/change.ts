import type { Relay } from "./candidate";
import { close, relaxOthers, use } from "./link";
import type { Link } from "./link";
import { mayHop, promote, unwanted } from "./move";
import { answerWithin } from "./options";
import type { Move, State } from "./state";

/**
 * How long a session that was dialled to get away from silence may be silent
 * itself.
 */
const muteFor = 5000;

/** When a network change that has not hurt is forgotten. */
const harmless = 15_000;

/** Carries on with a hop from a session that still is there. */
export function move(m: State): void {
  const h = m.hop;
  const p = m.primary;
  if (!h || h.landed || !p) {
    return;
  }
  if (h.cause === "silence") {
    moveOff(m);
    return;
  }
  if (h.cause === "network") {
    if (m.now >= h.begun + harmless && p.heard > m.now - 1000) {
      stay(m);
      return;
    }
    m.wake(h.begun + harmless);
  }
  if (h.want !== "" && m.now >= h.wantUntil) {
    h.want = "";
  }
  if (h.cause === "better" && h.want === "") {
    stay(m);
    return;
  }
  const l = target(m, h);
  if (l) {
    moveTo(m, l);
  } // else seek finds one
}

/** Puts a session in use and waits until it has caught up. */
function moveTo(m: State, l: Link): void {
  use(m, l);
  if (caughtUp(m, l)) {
    promote(m, l);
  } else if (m.now < l.usedAt + answerWithin) {
    m.wake(l.usedAt + answerWithin);
  } else if (m.silentSince === undefined) {
    unwanted(m, l.relay);
    close(m, l, "silence");
  }
}

/** Leaves a silent line for whoever answers first. */
function moveOff(m: State): void {
  let best: Link | undefined;
  for (const l of m.links) {
    if (!l?.up || l === m.primary) {
      continue;
    }
    use(m, l);
    const giveUp = l.usedAt + muteFor;
    if (l.answered) {
      best = best && best.first <= l.first ? best : l;
    } else if (l !== m.standby && m.now >= giveUp) {
      close(m, l, "silence"); // others need its place
    } else {
      m.wake(giveUp);
    }
  }
  if (best) {
    promote(m, best);
  }
}

/** Gives a hop up. */
function stay(m: State): void {
  m.hop = undefined;
  for (const l of m.links) {
    if (l) {
      l.stale = false;
    }
  }
  relaxOthers(m);
  m.changed = true;
}

/** The session to go to, if there is one. */
export function target(m: State, h: Move): Link | undefined {
  if (h.cause === "load") {
    const at = mayHop(m);
    if (m.now < at) {
      m.wake(at);
      return undefined;
    }
  }
  if (h.want !== "") {
    m.wake(h.wantUntil);
  }
  let best: Link | undefined;
  for (const l of m.links) {
    if (!l?.up || l === m.primary || l.leaving || l.stale) {
      continue;
    }
    if ((h.want !== "" && l.relay.name !== h.want) || (h.cause === "load" && avoided(m, l.relay))) {
      continue;
    }
    if (!best || (!best.inUse && (l.inUse || l === m.standby))) {
      best = l;
    }
  }
  return best;
}

/** Whether a relay was left lately; and wakes when it is no more. */
function avoided(m: State, relay: Relay): boolean {
  const avoid = m.book.find(relay)?.avoid ?? 0;
  m.wake(avoid);
  return avoid > m.now;
}

/**
 * Whether nothing is lost by closing the primary: the other has brought, of every
 * track under way, what the primary has, but for one packet on its way.
 */
function caughtUp(m: State, l: Link): boolean {
  const waited = m.now >= l.usedAt + answerWithin;
  if (!l.answered) {
    return !l.ticks && waited; // nobody may be speaking
  }
  if (m.silentSince !== undefined || waited) {
    return true;
  }
  return m.voices.every((v) => {
    const p = v.on(l);
    return v.state !== "talking" || (p.delivered && p.next + v.frames >= v.next);
  });
}
