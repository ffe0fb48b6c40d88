import { relayOf, same } from "./candidate";
import type { Candidate, Relay } from "./candidate";
import type { Cause } from "./event";
import { pauseUpTo } from "./options";

/** The pauses before a relay that failed is dialled again. */
const firstPause = 1000;
const longestPause = 30_000;

/**
 * For a relay that will never take this client, as far as one can know: tokens
 * and certificates do change.
 */
const finalPause = 5 * 60_000;

/** How long a session must live to prove that its relay takes this client. */
const provenAfter = 5000;

/**
 * How long a relay that was left is not gone back to, if there is another. Load
 * doubles it each time, up to the longest.
 */
const avoidFailed = 10_000;
const avoidDrained = 30_000;
const avoidLoaded = 30_000;
const avoidLongest = 8 * 60_000;
const avoidOutdone = 60_000;

/** How many relays that are listed no more are remembered, about. */
const maxRemembered = 64;

/** What is known of one relay. */
export interface Entry {
  relay: Relay;
  listed: boolean;
  /** Attempts and short sessions in a row. */
  fails: number;
  /** Not to be dialled before. */
  retryAt: number;
  /** How often in a row it said that it had too many. */
  loads: number;
  /** Not to be dialled before, unless there is no other. */
  avoid: number;
}

/** What `Book.pick` found, or when to ask again. */
export interface Pick {
  readonly entry: Entry | undefined;
  readonly again: number;
}

/** The list of candidates, best first, with what was learnt of each. */
export class Book {
  private entries: Entry[] = [];

  constructor(private readonly jitter: number) {}

  /** Replaces the candidates. What is known of those that stay is kept. */
  list(candidates: readonly Candidate[], now: number): void {
    const old = this.entries;
    this.entries = [];
    for (const candidate of candidates) {
      const relay = relayOf(candidate);
      if (this.find(relay)) {
        continue;
      }
      const known = old.find((e) => same(e.relay, relay)) ?? { fails: 0, retryAt: 0, loads: 0, avoid: 0 };
      this.entries.push({ ...known, relay, listed: true });
    }
    for (const e of old) {
      const matters = e.retryAt > now || e.avoid > now;
      if (matters && !this.find(e.relay) && this.entries.length < candidates.length + maxRemembered) {
        this.entries.push({ ...e, listed: false });
      }
    }
  }

  find(relay: Relay): Entry | undefined {
    return this.entries.find((e) => same(e.relay, relay));
  }

  /** The candidate that a URL, of this host and port, means. */
  at(host: string | undefined): Entry | undefined {
    return this.entries.find((e) => e.listed && host !== undefined && e.relay.host === host);
  }

  named(name: string): Entry | undefined {
    return this.entries.find((e) => e.listed && e.relay.name === name);
  }

  /**
   * The best candidate that may be dialled now and that fits; and then when to ask
   * again. One to be avoided is the last resort, if at all.
   */
  pick(now: number, lastResort: boolean, fits: (relay: Relay) => boolean): Pick {
    let best: Entry | undefined;
    let again = Infinity;
    for (const e of this.entries) {
      if (!e.listed || !fits(e.relay)) {
        continue;
      }
      if (e.retryAt > now) {
        again = Math.min(again, e.retryAt);
      } else if (e.avoid <= now) {
        return { entry: e, again: now };
      } else if (!lastResort) {
        again = Math.min(again, e.avoid);
      } else if (!best || e.avoid < best.avoid) {
        best = e;
      }
    }
    return { entry: best, again };
  }

  /** Notes that a relay did not take this client, or soon dropped it. */
  failed(relay: Relay, final: boolean, now: number): void {
    const e = this.find(relay);
    if (!e) {
      return;
    }
    const longest = Math.min(2 * firstPause * 2 ** Math.min(e.fails, 5), longestPause);
    e.fails++;
    e.retryAt = now + (final ? finalPause : pauseUpTo(longest, this.jitter));
  }

  /** Notes that a session which began at `since` was left. */
  left(relay: Relay, cause: Cause | undefined, since: number, now: number): void {
    const e = this.find(relay);
    if (!e) {
      return;
    }
    if (now - since >= provenAfter) {
      e.fails = 0;
    }
    if (cause === "closed" || cause === "silence") {
      this.failed(relay, false, now);
      e.avoid = Math.max(e.avoid, now + avoidFailed);
    } else if (cause === "better") {
      e.avoid = Math.max(e.avoid, now + avoidOutdone);
    }
  }

  /** Notes a GOAWAY. */
  askedToLeave(relay: Relay, cause: "drain" | "load", now: number): void {
    const e = this.find(relay);
    if (!e) {
      return;
    }
    if (cause === "drain") {
      e.avoid = Math.max(e.avoid, now + avoidDrained);
      return;
    }
    if (now > e.avoid + avoidLongest) {
      e.loads = 0;
    }
    const pause = Math.min(avoidLoaded * 2 ** Math.min(e.loads, 4), avoidLongest);
    e.avoid = Math.max(e.avoid, now + pause);
    e.loads++;
  }

  /** Lets every relay be dialled at once: it was the network's fault. */
  forgive(): void {
    for (const e of this.entries) {
      e.fails = 0;
      e.retryAt = 0;
    }
  }
}
