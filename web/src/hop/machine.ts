import type { Candidate } from "./candidate";
import { move } from "./change";
import type { Effect, Event, Session } from "./event";
import { closed, consider, goaway, gone, networkChanged, outdone } from "./leave";
import { free, hear, linkOf } from "./link";
import type { Link } from "./link";
import { report, unwanted } from "./move";
import { spread, standbyAfter, warmSpread } from "./options";
import type { Options } from "./options";
import { seek } from "./seek";
import { dueAt, listen, withheld } from "./silence";
import { keepStandby, settle } from "./standby";
import { State } from "./state";
import { announced, arrived, ended } from "./track";

/** A session, and the relay it is with. */
export interface Held {
  readonly session: Session;
  readonly candidate: Candidate;
}

/** How often one step looks again, at most, after it changed something. */
const reviews = 8;

/** What a step is told if nothing but time passed. */
export const nothing: Event = { kind: "now" };

/** Decides for one listener. A new machine knows of no relay yet. */
export class Machine {
  private readonly state: State;

  constructor(options: Options = {}) {
    this.state = new State(options);
  }

  /**
   * Tells the machine what happened at the time `now`, in milliseconds from any
   * fixed moment, and returns what to do. The list is good until the next step.
   * Time that steps back stands still.
   */
  step(now: number, event: Event = nothing): readonly Effect[] {
    const m = this.state;
    m.effects.length = 0;
    m.now = Math.max(m.now, now);
    take(m, event);
    if (m.changed || m.now >= dueAt(m)) {
      review(m);
    }
    return m.effects;
  }

  /**
   * When the machine wants to be stepped next, if nothing happens before;
   * undefined if it can wait for ever. It may be earlier than need be.
   */
  deadline(): number | undefined {
    const at = dueAt(this.state);
    return at === Infinity ? undefined : at;
  }

  /** What is listened to. */
  primary(): Held | undefined {
    return held(this.state.primary);
  }

  /** What stands by. */
  standby(): Held | undefined {
    return held(this.state.standby);
  }
}

function held(l: Link | undefined): Held | undefined {
  return l && { session: l.id, candidate: l.relay };
}

/** Notes an event. */
function take(m: State, e: Event): void {
  switch (e.kind) {
    case "now":
      return;
    case "candidates":
      m.book.list(e.candidates, m.now);
      m.changed = true;
      return;
    case "network-changed":
      networkChanged(m);
      return;
    case "better":
      outdone(m, e.name);
      return;
    case "set-cold":
      if (m.cold && !e.cold) {
        m.standbyAt = Math.max(m.standbyAt, m.now + spread(standbyAfter, warmSpread, m.jitter));
      }
      m.cold = e.cold;
      m.changed = true;
      return;
    case "withheld":
      withheld(m, e.track);
      return;
  }
  const l = linkOf(m, e.session);
  if (l?.up) {
    takeOf(m, l, e);
  } else if (l) {
    takeOfAttempt(m, l, e);
  }
}

type SessionEvent = Extract<Event, { readonly session: Session }>;

/** Notes an event of an attempt. */
function takeOfAttempt(m: State, l: Link, e: SessionEvent): void {
  switch (e.kind) {
    case "dialled":
      l.up = true;
      l.since = m.now;
      l.ticks = e.ticks;
      m.changed = true;
      return;
    case "dial-failed":
    case "closed":
      m.book.failed(l.relay, e.kind === "dial-failed" && e.final, m.now);
      unwanted(m, l.relay);
      free(m, l);
  }
}

/** Notes an event of a session. */
function takeOf(m: State, l: Link, e: SessionEvent): void {
  switch (e.kind) {
    case "arrived":
      return arrived(m, l, e);
    case "ticked":
      return hear(m, l, true);
    case "announced":
      return announced(m, l, e.track);
    case "ended":
      return ended(m, l, e.track);
    case "goaway":
      return goaway(m, l, e);
    case "closed":
      return closed(m, l);
    case "gone":
      return gone(m, l);
  }
}

/** Looks at everything, until there is nothing to be done. */
function review(m: State): void {
  for (let n = 0; n === 0 || (m.changed && n < reviews); n++) {
    m.changed = false;
    m.deadline = Infinity;
    report(m);
    listen(m);
    consider(m);
    move(m);
    seek(m);
    settle(m);
    keepStandby(m);
  }
}
