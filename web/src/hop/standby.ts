import { elsewhere, same } from "./candidate";
import { close, dial, rest } from "./link";
import type { Link } from "./link";
import { ask, mayDial, unused } from "./seek";
import type { State } from "./state";

/** Gives sessions without a role one, or ends them. */
export function settle(m: State): void {
  const p = m.primary;
  if (!p || (m.hop && !m.hop.landed)) {
    return;
  }
  for (const l of m.links) {
    if (!l?.up || l === p) {
      continue;
    }
    switch (role(m, p, l)) {
      case "none":
        close(m, l, undefined);
        break;
      case "standby":
        if (m.standby) {
          close(m, m.standby, undefined);
        }
        rest(m, l);
        m.standby = l;
    }
  }
}

/** What becomes of a session beside the primary: what it is, the standby, or nothing. */
function role(m: State, p: Link, l: Link): "as it is" | "standby" | "none" {
  const s = m.standby;
  if (l.stale) {
    return "none";
  }
  if ((l === s && !m.cold) || (l !== s && m.hop && l.inUse)) {
    return "as it is"; // or it may still be needed
  }
  if (m.cold) {
    return l === s && l.tried ? "as it is" : "none"; // not while it is listened to
  }
  if (l.leaving || same(l.relay, p.relay) || (l.inUse && !l.answered && p.answered)) {
    return "none";
  }
  if (!s) {
    return "standby";
  }
  if (elsewhere(l.relay, p.relay) && !elsewhere(s.relay, p.relay)) {
    return s.tried ? "as it is" : "standby"; // not while the other is listened to
  }
  return "none";
}

/** Sees to a standby: a relay of another zone, or else any other. */
export function keepStandby(m: State): void {
  const s = m.standby;
  const p = m.primary;
  if (!p || m.cold || (m.hop && !m.hop.landed)) {
    return;
  }
  if (s && (elsewhere(s.relay, p.relay) || p.relay.zone === "")) {
    return;
  }
  if (m.now < m.standbyAt) {
    m.wake(m.standbyAt);
    return;
  }
  if (!mayDial(m, false)) {
    return;
  }
  const far = m.book.pick(m.now, false, (relay) => elsewhere(relay, p.relay) && unused(m, relay));
  if (far.entry) {
    dial(m, far.entry.relay);
    return;
  }
  m.wake(far.again);
  if (s) {
    return;
  }
  const any = m.book.pick(m.now, true, (relay) => unused(m, relay));
  if (any.entry) {
    dial(m, any.entry.relay);
    return;
  }
  m.wake(any.again);
  ask(m);
}
