// A network for the tests beside. It has no test itself; its name keeps it out of
// the library.
import type { Candidate } from "./candidate";
import { FRAME, TICK } from "./event";
import type { Effect, Event, Hopped, Session, Track } from "./event";
import { Machine } from "./machine";
import { tickAfter } from "./options";
import type { Options } from "./options";
import type { Random } from "./random.test";

export class RelayModel {
  /** From then on nothing leaves it. */
  dead = Infinity;
  /** From then on nothing comes to it. */
  cut = Infinity;

  constructor(
    readonly candidate: Candidate,
    /** The round trip to it. */
    readonly trip: number,
  ) {}
}

interface SessionModel {
  readonly id: Session;
  readonly relay: RelayModel;
  readonly begun: number;
  up: boolean;
  closed: boolean;
  /** As the client sees it, and as the relay does. */
  readonly wants: Set<Track>;
  readonly sends: Set<Track>;
  sent: number;
}

interface Happening {
  readonly at: number;
  readonly run: () => void;
}

/**
 * A network on which a Machine listens to one speaker, track 1: relays with a ring
 * and ticks, paths with a round trip and jitter, and a shell that does what the
 * machine wants.
 */
export class World {
  readonly m: Machine;
  now = 0;
  /** When each group is complete. */
  readonly groups: number[] = [];
  readonly hops: Hopped[] = [];
  /** When all sessions of that time died without a word. */
  severed = -Infinity;
  trials = 0;
  readonly relays: ReadonlyMap<string, RelayModel>;

  private readonly queue: Happening[] = []; // soonest first
  private readonly sessions = new Map<Session, SessionModel>();
  private readonly got = new Map<number, number>(); // group, when it first came

  constructor(
    options: Options,
    private readonly random: Random,
    /** The most by which a packet may be late. */
    private readonly jitter: number,
    /** In a group. */
    readonly frames: number,
    relays: readonly RelayModel[],
  ) {
    this.m = new Machine(options);
    this.relays = new Map(relays.map((r) => [r.candidate.name, r]));
    const candidates = relays.map((r) => r.candidate);
    this.at(0, () => this.step({ kind: "candidates", candidates }));
  }

  at(at: number, run: () => void): void {
    let place = this.queue.length;
    while (place > 0 && this.queue[place - 1]!.at > at) {
      place--;
    }
    this.queue.splice(place, 0, { at, run });
  }

  after(pause: number, run: () => void): void {
    this.at(this.now + pause, run);
  }

  /** Lets frames come into being from a time on, as groups on every relay. */
  speak(from: number, groups: number): void {
    for (let i = 0; i < groups; i++) {
      const k = this.groups.length;
      from += this.frames * FRAME;
      this.groups.push(from);
      this.at(from, () => {
        for (const s of this.sessions.values()) {
          if (s.sends.has(1) && this.now < s.relay.cut) {
            this.send(s, 1, k);
          }
        }
      });
    }
  }

  /** When the last group is complete. */
  end(): number {
    return this.groups.at(-1) ?? 0;
  }

  run(until: number): void {
    for (;;) {
      const at = this.queue[0]?.at ?? Infinity;
      const deadline = this.m.deadline() ?? Infinity;
      if (Math.min(at, deadline) > until) {
        return;
      }
      if (deadline >= at) {
        this.now = at;
        this.queue.shift()?.run();
        continue;
      }
      this.now = Math.max(this.now, deadline);
      this.step({ kind: "now" });
      if ((this.m.deadline() ?? Infinity) <= this.now) {
        throw new Error(`at ${this.now}: the deadline is ${this.m.deadline()} after a step`);
      }
    }
  }

  step(e: Event): void {
    for (const effect of [...this.m.step(this.now, e)]) {
      this.do(effect);
    }
  }

  private do(e: Effect): void {
    if (e.kind === "dial") {
      this.dial(e.session, e.candidate.name);
      return;
    }
    if (e.kind === "hopped") {
      this.hops.push(e);
      return;
    }
    const s = e.kind === "ask-lobby" ? undefined : this.sessions.get(e.session);
    if (!s) {
      return;
    }
    switch (e.kind) {
      case "subscribe":
        if (e.track !== TICK && !s.wants.has(e.track) && s.id !== this.m.primary()?.session) {
          this.trials++;
        }
        s.wants.add(e.track);
        this.after(s.relay.trip / 2, () => this.subscribed(s, e.track, e.start));
        return;
      case "unsubscribe":
        s.wants.delete(e.track);
        this.after(s.relay.trip / 2, () => s.sends.delete(e.track));
        return;
      case "close":
        s.closed = true;
        this.after(s.relay.trip / 2, () => s.sends.clear());
    }
  }

  private dial(id: Session, name: string): void {
    const relay = this.relays.get(name)!;
    const begun = this.now;
    const s = { id, relay, begun, up: false, closed: false, wants: new Set<Track>(), sends: new Set<Track>(), sent: 0 };
    this.sessions.set(id, s);
    if (this.now + relay.trip >= relay.dead) {
      this.after(5000, () => this.step({ kind: "dial-failed", session: id, final: false }));
      return;
    }
    this.after(2 * relay.trip, () => {
      s.up = true;
      this.step({ kind: "dialled", session: id, ticks: true });
    });
    this.after(3 * relay.trip, () => this.step({ kind: "announced", session: id, track: 1 }));
  }

  /** A relay's part of it: what is in the ring at once, the rest as it comes. */
  private subscribed(s: SessionModel, track: Track, start: number | undefined): void {
    if (s.sends.has(track) || s.closed) {
      return;
    }
    s.sends.add(track);
    if (track === TICK) {
      s.sent = this.now;
      this.tick(s);
      return;
    }
    this.groups.forEach((at, k) => {
      if (at <= this.now && at < s.relay.cut && start !== undefined && (k + 1) * this.frames > start) {
        this.send(s, track, k);
      }
    });
  }

  private tick(s: SessionModel): void {
    if (!s.sends.has(TICK) || s.closed) {
      return;
    }
    if (this.now >= s.sent + tickAfter) {
      this.send(s, TICK, 0);
    }
    this.at(s.sent + tickAfter, () => this.tick(s));
  }

  private send(s: SessionModel, track: Track, k: number): void {
    s.sent = this.now;
    if (this.now >= s.relay.dead || s.begun < this.severed) {
      return;
    }
    this.after(s.relay.trip / 2 + this.random.fraction() * this.jitter, () => {
      if (s.closed || !s.wants.has(track) || s.begun < this.severed) {
        return;
      }
      if (track === TICK) {
        this.step({ kind: "ticked", session: s.id });
        return;
      }
      if (!this.got.has(k)) {
        this.got.set(k, this.now);
      }
      const { frames } = this;
      const timestamp = this.groups[k]! - frames * FRAME;
      this.step({ kind: "arrived", session: s.id, track, sequence: k * frames, frames, timestamp });
    });
  }

  /** Ends a relay, with a last word to its sessions or without. */
  kill(relay: RelayModel, lastWord: boolean): void {
    relay.dead = this.now;
    for (const s of this.sessions.values()) {
      if (lastWord && s.relay === relay && s.up && !s.closed) {
        this.after(relay.trip / 2, () => this.step({ kind: "closed", session: s.id }));
      }
    }
  }

  /**
   * Those of the groups complete from a time to another that came later than is due
   * with a delay, or never, and by how much.
   */
  late(from: number, until: number, oneWay: number, delay: number): { group: number; by: number }[] {
    return this.groups.flatMap((at, group) => {
      const due = at + oneWay - (this.frames - 1) * FRAME + delay;
      const by = (this.got.get(group) ?? Infinity) - due;
      return at >= from && at <= until && by > 0 ? [{ group, by }] : [];
    });
  }
}
