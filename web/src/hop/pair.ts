import { Book } from "./book";
import type { Pick } from "./book";
import { elsewhere, same } from "./candidate";
import type { Relay } from "./candidate";
import { TICK } from "./event";
import type { Cause, Effect, Event, Session } from "./event";
import { nothing } from "./machine";
import { dialTimeout, firstAsk, longestAsk, pauseUpTo } from "./options";
import type { Options } from "./options";

/**
 * How long a session of a speaker may bring no tick: five have then been lost, or
 * the relay is. There is no hurry, for the other one is live.
 */
const muteAfter = 1000;

/** How many sessions there are at most: two, and two on their way out. */
const maxSides = 4;

/** One of a speaker's sessions, or an attempt at one. */
interface Side {
  readonly id: Session;
  readonly relay: Relay;
  up: boolean;
  /** When it was dialled, or came up. */
  since: number;
  ticks: boolean;
  heard: number;
  /** Why it is to be replaced, if it is. */
  bad: Cause | undefined;
}

/** A session that is not replaced yet. */
interface Loss {
  readonly from: string;
  readonly cause: Cause;
  readonly at: number;
}

/**
 * Decides for one speaker: it keeps sessions with two relays, in two zones if
 * possible, both of which publish all the time. One that is to be replaced is
 * closed only when two others are up. A new pair knows of no relay yet.
 *
 * Of the events it wants "now", "candidates", "dialled", "dial-failed", "closed",
 * "ticked", "goaway" and "network-changed"; its effects are "dial", "subscribe"
 * (only to `TICK`), "close", "ask-lobby" and "hopped".
 */
export class Pair {
  private now = 0;
  private readonly effects: Effect[] = [];
  private wakeAt = 0;

  private readonly jitter: number;
  private readonly book: Book;
  private last: Session = 0;
  private readonly sides: (Side | undefined)[] = new Array<undefined>(maxSides).fill(undefined);
  private losses: Loss[] = []; // oldest first

  private askAt = 0;
  private askPause = 0;

  constructor(options: Options = {}) {
    this.jitter = options.jitter ?? 0;
    this.book = new Book(this.jitter);
  }

  /** Tells the pair what happened and returns what to do, as `Machine.step`. */
  step(now: number, event: Event = nothing): readonly Effect[] {
    this.effects.length = 0;
    this.now = Math.max(this.now, now);
    this.take(event);
    this.review();
    return this.effects;
  }

  /** As `Machine.deadline`. */
  deadline(): number | undefined {
    return this.wakeAt === Infinity ? undefined : this.wakeAt;
  }

  /** The sessions that are up, but for those to be replaced. */
  live(): Session[] {
    return this.those((s) => s.up && !s.bad).map((s) => s.id);
  }

  private wake(at: number): void {
    if (at > this.now) {
      this.wakeAt = Math.min(this.wakeAt, at);
    }
  }

  /** The sessions and attempts of which f is true. */
  private those(f: (s: Side) => boolean): Side[] {
    return this.sides.filter((s) => s !== undefined).filter(f);
  }

  private forget(s: Side): void {
    this.sides[this.sides.indexOf(s)] = undefined;
  }

  private take(e: Event): void {
    switch (e.kind) {
      case "candidates":
        this.book.list(e.candidates, this.now);
        return;
      case "network-changed":
        this.networkChanged();
        return;
    }
    const s = "session" in e ? this.sides.find((s) => s?.id === e.session) : undefined;
    if (!s) {
      return;
    }
    switch (e.kind) {
      case "dialled":
        if (!s.up) {
          this.dialled(s, e.ticks);
        }
        return;
      case "dial-failed":
        if (!s.up) {
          this.failed(s, e.final);
        }
        return;
      case "closed":
        this.closed(s);
        return;
      case "ticked":
        this.ticked(s);
        return;
      case "goaway":
        if (s.up) {
          const cause = e.cause === "load" ? "load" : "drain";
          this.book.askedToLeave(s.relay, cause, this.now);
          this.replace(s, cause);
        }
    }
  }

  private dialled(s: Side, ticks: boolean): void {
    s.up = true;
    s.since = s.heard = this.now;
    s.ticks = ticks;
    this.askPause = 0;
    if (ticks) {
      this.effects.push({ kind: "subscribe", session: s.id, track: TICK, start: undefined });
    }
    const l = this.losses.shift();
    if (l) {
      const took = this.now - l.at;
      this.effects.push({ kind: "hopped", session: s.id, from: l.from, to: s.relay.name, cause: l.cause, took });
    }
  }

  /** Notes that an attempt came to nothing. */
  private failed(s: Side, final: boolean): void {
    this.book.failed(s.relay, final, this.now);
    this.forget(s);
  }

  private closed(s: Side): void {
    if (!s.up) {
      this.failed(s, false);
      return;
    }
    this.book.left(s.relay, "closed", s.since, this.now);
    if (!s.bad) {
      this.lost(s, "closed");
    }
    this.forget(s);
  }

  /** Keeps a session that had only gone quiet. */
  private ticked(s: Side): void {
    s.heard = this.now;
    const again = (other: Side) => !other.bad && same(other.relay, s.relay);
    if (s.bad !== "silence" || this.those(again).length > 0) {
      return; // its relay has been dialled anew
    }
    s.bad = undefined;
    const loss = this.losses.findIndex((l) => l.from === s.relay.name && l.cause === "silence");
    if (loss >= 0) {
      this.losses.splice(loss, 1);
    }
  }

  /** Marks a session that is to be closed once another is there. */
  private replace(s: Side, cause: Cause): void {
    if (!s.bad) {
      this.lost(s, cause);
    }
    if (cause === "silence") {
      this.book.left(s.relay, cause, s.since, this.now);
    }
    s.bad = cause;
  }

  private lost(s: Side, cause: Cause): void {
    this.losses.push({ from: s.relay.name, cause, at: this.now });
    this.losses = this.losses.slice(-maxSides);
  }

  private networkChanged(): void {
    this.book.forgive();
    this.askAt = this.now;
    this.askPause = 0;
    for (const s of this.sides) {
      if (s?.up) {
        this.replace(s, "network");
      } else if (s) {
        this.effects.push({ kind: "close", session: s.id, cause: undefined });
        this.forget(s);
      }
    }
  }

  private review(): void {
    this.wakeAt = Infinity;
    this.listen();
    this.closeReplaced();
    while (this.those((s) => !s.bad).length < 2 && this.dialNext());
  }

  /** Looks for sessions that are mute, and attempts without an end. */
  private listen(): void {
    for (const s of this.sides) {
      if (!s || s.bad || (s.up && !s.ticks)) {
        continue;
      }
      const at = s.up ? s.heard + muteAfter : s.since + dialTimeout;
      if (this.now < at) {
        this.wake(at);
      } else if (s.up) {
        this.replace(s, "silence");
      } else {
        this.effects.push({ kind: "close", session: s.id, cause: undefined });
        this.failed(s, false);
      }
    }
  }

  /**
   * Ends the sessions that are too many: those to be replaced, once there are two
   * others, and the newest of three good ones, of which one had only gone quiet.
   */
  private closeReplaced(): void {
    const good = this.those((s) => !s.bad);
    good.sort((a, b) => Number(b.up) - Number(a.up) || a.id - b.id);
    for (const extra of good.slice(2)) {
      this.close(extra);
    }
    if (good.slice(0, 2).filter((s) => s.up).length === 2) {
      this.those((s) => s.bad !== undefined).forEach((s) => this.close(s));
    }
  }

  private close(s: Side): void {
    this.effects.push({ kind: "close", session: s.id, cause: s.bad });
    if (s.bad !== "silence") {
      this.book.left(s.relay, s.bad, s.since, this.now); // the other was noted when it went mute
    }
    this.forget(s);
  }

  /** Dials another relay, of another zone than the rest if there is one. */
  private dialNext(): boolean {
    const { entry, again } = this.next();
    if (!entry) {
      this.wake(again);
      this.ask();
      return false;
    }
    const slot = this.free();
    this.last++;
    const { relay } = entry;
    this.sides[slot] = { id: this.last, relay, up: false, since: this.now, ticks: false, heard: 0, bad: undefined };
    this.effects.push({ kind: "dial", session: this.last, candidate: relay });
    this.wake(this.now + dialTimeout);
    return true;
  }

  private next(): Pick {
    const far = this.book.pick(this.now, false, (relay) => this.unused(relay) && this.elsewhere(relay));
    return far.entry ? far : this.book.pick(this.now, true, (relay) => this.unused(relay));
  }

  /**
   * A place for another session. If need be the oldest of those to be replaced
   * goes: there are three of them then, and the newest say more.
   */
  private free(): number {
    if (!this.sides.includes(undefined)) {
      const [first, ...others] = this.those((s) => s.bad !== undefined);
      if (first) {
        this.close(others.reduce((oldest, s) => (s.id < oldest.id ? s : oldest), first));
      }
    }
    return this.sides.indexOf(undefined);
  }

  /**
   * Whether a relay has no session, but for one that may well be dead: mute, or
   * from before the network changed.
   */
  private unused(relay: Relay): boolean {
    return !this.sides.some((s) => s && s.bad !== "network" && s.bad !== "silence" && same(s.relay, relay));
  }

  /**
   * Whether a relay is in no zone that the other one is in, as far as is known.
   */
  private elsewhere(relay: Relay): boolean {
    return !this.sides.some((s) => s && !s.bad && !elsewhere(relay, s.relay));
  }

  /** Asks the lobby, less and less often. */
  private ask(): void {
    if (this.now >= this.askAt) {
      this.effects.push({ kind: "ask-lobby" });
      this.askPause = Math.min(Math.max(2 * this.askPause, firstAsk), longestAsk);
      this.askAt = this.now + pauseUpTo(2 * this.askPause, this.jitter);
    }
    this.wake(this.askAt);
  }
}
